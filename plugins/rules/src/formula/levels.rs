//! How deep a text is nested. A parser that goes down level by level would run out of stack on a text made for that, and the component
//! with it, so this is asked before.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// At most as many levels as the text has, counted without parsing it: brackets that are open at once, and everything else by which one
/// part of an expression begins inside of another. Operators from left to right, as in `a + b + c`, are one level.
pub(super) fn most(source: &str) -> usize {
    let mut lexer = lexer::lex(source, Mode::Expression);
    let (mut open, mut deepest, mut others) = (0_usize, 0, 0);
    let mut operand_before = false;
    loop {
        let token = lexer.next_token();
        match token {
            TokenKind::EndOfFile => return deepest + others,
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                open += 1;
                deepest = deepest.max(open);
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => open = open.saturating_sub(1),
            // Between two operands, these go from left to right.
            TokenKind::Plus
            | TokenKind::Minus
            | TokenKind::Star
            | TokenKind::Slash
            | TokenKind::DoubleSlash
            | TokenKind::Percent
            | TokenKind::Less
            | TokenKind::Greater
            | TokenKind::EqEqual
            | TokenKind::NotEqual
            | TokenKind::LessEqual
            | TokenKind::GreaterEqual
            | TokenKind::And
            | TokenKind::Or
                if operand_before => {}
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Comma
            | TokenKind::Else
            | TokenKind::Comment
            | TokenKind::Newline
            | TokenKind::NonLogicalNewline => {}
            _ => others += 1,
        }
        operand_before = matches!(
            token,
            TokenKind::Name
                | TokenKind::Int
                | TokenKind::Float
                | TokenKind::Rpar
                | TokenKind::Rsqb
                | TokenKind::Rbrace
                | TokenKind::NonLogicalNewline
                | TokenKind::Comment
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_down_is_counted_and_what_goes_right_is_not() {
        for (source, levels) in [
            ("", 0),
            ("a + b * c - d / e // f % g", 0),
            ("a < b <= c and d or e", 0),
            ("(a) + (b)", 1),
            ("((a)) + min(b, c)", 2),
            ("- - +a", 3),
            ("not a", 1),
            ("2 ** 3 ** 2", 2),
            ("a if b else c", 1),
            ("lambda: lambda: 1", 4),
            ("f'{f\"{a}\"}'", 6),
        ] {
            assert_eq!(most(source), levels, "{source}");
        }
    }
}
