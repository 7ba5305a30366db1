//! From the text of a formula to a tree that holds nothing but arithmetic.

use ruff_python_ast::{self as python, Expr};
use ruff_python_parser::parse_expression;
use ruff_text_size::Ranged;

use super::{Comparison, Formula, Function, Link, Node, Operator, Place, Variable, levels, number, shown};

/// The most bytes of a formula, and the most levels of one: so that no text exhausts the stack of a component.
const MOST_BYTES: usize = 2000;
const MOST_LEVELS: usize = 50;

const ALLOWED: &str = "a formula is made of numbers, names, parentheses, + - * / // % **, comparisons, `and`, `or`, `not`, \
                       `x if y else z`, and the functions abs, float, int, max, min, round";

/// Reads a formula. The error completes "formulas\[0\].formula: ...".
pub(super) fn formula(source: &str) -> Result<Formula, String> {
    // As Python's `eval` takes it.
    let source = source.trim();
    if source.is_empty() {
        return Err("it is empty: write an expression such as \"cpu_core_hours / 2\"".into());
    }
    if source.len() > MOST_BYTES {
        return Err(format!("it has {} bytes, and {MOST_BYTES} are the most", source.len()));
    }
    if levels::most(source) > MOST_LEVELS {
        return Err(format!("it is nested more than {MOST_LEVELS} levels deep"));
    }
    let parsed = parse_expression(source).map_err(|error| {
        let place = error.location.start().to_usize()..error.location.end().to_usize();
        let at = source.get(..place.start).map_or(0, |before| before.chars().count()) + 1;
        format!("it is no expression in Python's syntax, at character {at}: {}", lower(&error.error.to_string()))
    })?;
    let mut reader = Reader { source, variables: Vec::new() };
    let root = reader.node(parsed.expr())?;
    Ok(Formula { source: source.to_owned(), root, variables: reader.variables })
}

/// Whether a formula can name a variable so.
pub(crate) fn is_name(text: &str) -> bool {
    function(text).is_none()
        && text.len() <= MOST_BYTES
        && levels::most(text) == 0
        && parse_expression(text).is_ok_and(|parsed| matches!(parsed.expr(), Expr::Name(name) if name.id == text))
}

struct Reader<'a> {
    source: &'a str,
    variables: Vec<Variable>,
}

impl Reader<'_> {
    fn node(&mut self, expression: &Expr) -> Result<Node, String> {
        match expression {
            Expr::NumberLiteral(literal) => self.number(literal),
            Expr::Name(name) => self.variable(name),
            Expr::UnaryOp(unary) => {
                let operand = self.node(&unary.operand)?;
                match (unary.op, operand) {
                    (python::UnaryOp::UAdd, operand) => Ok(operand),
                    (python::UnaryOp::USub, Node::Number(number)) => Ok(Node::Number(number.negative())),
                    (python::UnaryOp::USub, operand) => Ok(Node::Negative(operand.into())),
                    (python::UnaryOp::Not, operand) => Ok(Node::Not(operand.into())),
                    (python::UnaryOp::Invert, _) => Err(self.refused(expression)),
                }
            }
            Expr::BinOp(_) => self.chain(expression),
            Expr::Compare(compare) => {
                let first = self.node(&compare.left)?;
                let mut others = Vec::new();
                for (written, right) in compare.ops.iter().zip(&compare.comparators) {
                    let comparison = comparison(*written).ok_or_else(|| self.refused(expression))?;
                    others.push((comparison, self.node(right)?));
                }
                Ok(Node::Compare(first.into(), others))
            }
            Expr::BoolOp(all) => {
                let operands = all.values.iter().map(|operand| self.node(operand)).collect::<Result<_, _>>()?;
                Ok(match all.op {
                    python::BoolOp::And => Node::And(operands),
                    python::BoolOp::Or => Node::Or(operands),
                })
            }
            Expr::If(choice) => Ok(Node::If {
                test: self.node(&choice.test)?.into(),
                then: self.node(&choice.body)?.into(),
                otherwise: self.node(&choice.orelse)?.into(),
            }),
            Expr::Call(call) => self.call(call),
            _ => Err(self.refused(expression)),
        }
    }

    /// Operations from left to right, without going down for each: there may be a thousand.
    fn chain(&mut self, expression: &Expr) -> Result<Node, String> {
        let mut first = expression;
        let mut written = Vec::new();
        while let Expr::BinOp(operation) = first {
            written.push(operation);
            first = &operation.left;
        }
        let first = self.node(first)?;
        let mut links = Vec::new();
        for operation in written.into_iter().rev() {
            let operator = operator(operation.op).ok_or_else(|| self.refused(operation))?;
            let right = self.node(&operation.right)?;
            let fault = match (&right, operator) {
                (Node::Number(number), Operator::Divide | Operator::FloorDivide | Operator::Remainder) => {
                    number.is_zero().then_some("it divides by 0")
                }
                (Node::Number(number), Operator::Power) => {
                    (!number.is_whole()).then_some("an exponent has to be a whole number")
                }
                _ => None,
            };
            if let Some(fault) = fault {
                return Err(format!("{fault} {}", self.shown(&*operation.right)));
            }
            links.push(Link { operator, right, place: place(&*operation.right) });
        }
        Ok(Node::Chain(first.into(), links))
    }

    fn number(&self, literal: &python::ExprNumberLiteral) -> Result<Node, String> {
        if matches!(literal.value, python::Number::Complex { .. }) {
            return Err(self.refused(literal));
        }
        let text = self.source.get(place(literal)).unwrap_or_default();
        let number = number::exact(text);
        number.map(Node::Number).ok_or_else(|| format!("a number has too many digits {}", self.shown(literal)))
    }

    fn variable(&mut self, name: &python::ExprName) -> Result<Node, String> {
        let text = name.id.as_str();
        if function(text).is_some() {
            return Err(format!("a function is called with parentheses, as in abs(x) {}", self.shown(name)));
        }
        let known = self.variables.iter().position(|variable| variable.name == text);
        Ok(Node::Variable(known.unwrap_or_else(|| {
            self.variables.push(Variable { name: text.to_owned(), place: place(name) });
            self.variables.len() - 1
        })))
    }

    fn call(&mut self, call: &python::ExprCall) -> Result<Node, String> {
        let Expr::Name(name) = &*call.func else { return Err(self.refused(call)) };
        let Some(function) = function(name.id.as_str()) else {
            return Err(format!("there is no function {:?}; {ALLOWED} {}", name.id.as_str(), self.shown(call)));
        };
        let mut arguments = Vec::new();
        for argument in &call.arguments.args {
            arguments.push(self.node(argument)?);
        }
        for keyword in &call.arguments.keywords {
            let digits = keyword.arg.as_ref().is_some_and(|name| name.as_str() == "ndigits");
            if !(digits && function == Function::Round && arguments.len() == 1) {
                return Err(self.refused(keyword));
            }
            arguments.push(self.node(&keyword.value)?);
        }
        let (takes, right) = match function {
            Function::Abs | Function::Float | Function::Int => ("one value", arguments.len() == 1),
            Function::Round => ("one value, and perhaps a number of digits", matches!(arguments.len(), 1 | 2)),
            Function::Max | Function::Min => ("two values or more", arguments.len() >= 2),
        };
        if !right {
            return Err(format!("{} takes {takes} {}", name.id.as_str(), self.shown(call)));
        }
        Ok(Node::Call(function, arguments, place(call)))
    }

    fn refused(&self, part: &impl Ranged) -> String {
        format!("this cannot be part of it {}: {ALLOWED}", self.shown(part))
    }

    fn shown(&self, part: &impl Ranged) -> String {
        shown(self.source, &place(part))
    }
}

fn place(part: &impl Ranged) -> Place {
    part.start().to_usize()..part.end().to_usize()
}

fn operator(written: python::Operator) -> Option<Operator> {
    Some(match written {
        python::Operator::Add => Operator::Add,
        python::Operator::Sub => Operator::Subtract,
        python::Operator::Mult => Operator::Multiply,
        python::Operator::Div => Operator::Divide,
        python::Operator::FloorDiv => Operator::FloorDivide,
        python::Operator::Mod => Operator::Remainder,
        python::Operator::Pow => Operator::Power,
        _ => return None,
    })
}

fn comparison(written: python::CmpOp) -> Option<Comparison> {
    Some(match written {
        python::CmpOp::Eq => Comparison::Equal,
        python::CmpOp::NotEq => Comparison::NotEqual,
        python::CmpOp::Lt => Comparison::Less,
        python::CmpOp::LtE => Comparison::AtMost,
        python::CmpOp::Gt => Comparison::More,
        python::CmpOp::GtE => Comparison::AtLeast,
        _ => return None,
    })
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "abs" => Function::Abs,
        "float" => Function::Float,
        "int" => Function::Int,
        "max" => Function::Max,
        "min" => Function::Min,
        "round" => Function::Round,
        _ => return None,
    })
}

/// The parser's words, as a part of a sentence.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_lowercase(), letters.as_str()))
}
