//! What a column says, as a person configures it: literal text, and placeholders for what is known of a charge.
//!
//! | placeholder | stands for |
//! |---|---|
//! | `{product}` `{customer}` `{dimension}` | what was used, by whom, and what is charged for |
//! | `{quantity}` | how much, a plain decimal |
//! | `{start}` `{end}` | the window, `2025-06-30T23:00:00Z` |
//! | `{id}` | the charge's id, 32 hexadecimal digits |
//! | `{tag.NAME}` `{attribute.NAME}` | what the charge says under that name |
//! | `{tag.instance|customer}` | the first of these that is there and not empty |
//! | `{{` `}}` | a brace |
//!
//! A cell of which a placeholder has nothing is empty as a whole: half a name names something else.

use crate::nearest;

/// The placeholders without a name of their own.
const PLAIN: [(&str, Name); 7] = [
    ("product", Name::Product),
    ("customer", Name::Customer),
    ("dimension", Name::Dimension),
    ("quantity", Name::Quantity),
    ("start", Name::Start),
    ("end", Name::End),
    ("id", Name::Id),
];

/// What a column says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub(crate) parts: Vec<Part>,
}

/// How the values of placeholders stand in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// As they are.
    AsTheyAre,
    /// With `%3A`, `%2F` and `%25` for `:`, `/` and `%`, so that different values stay different.
    WithoutSeparators,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(String),
    /// The first of these that is there.
    Value(Vec<Name>),
}

/// What is known of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    Product,
    Customer,
    Dimension,
    Quantity,
    Start,
    End,
    Id,
    Tag(String),
    Attribute(String),
}

impl Template {
    /// Reads what a column is configured as, in a setting of this path: `columns."resource/id"`.
    ///
    /// # Errors
    /// It is no template. The text begins with the path of the setting, by which the host finds its line, and names the character.
    pub fn parse(setting: &str, text: &str) -> Result<Template, String> {
        let wrong = |at: usize, what: String| {
            let place = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
            format!("{setting}: at character {place} of \"{}\": {what}", text.escape_debug())
        };
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(brace) = ["{{", "}}"].into_iter().find(|brace| rest.starts_with(brace)) {
                literal.push_str(brace.get(1..).unwrap_or_default());
                at += 2;
            } else if let Some(inside) = rest.strip_prefix('{') {
                let unclosed = || wrong(at, "this brace is never closed; a brace of the text is written {{".into());
                let (names, _) = inside.split_once('}').ok_or_else(unclosed)?;
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::Value(alternatives(names).map_err(|what| wrong(at, what))?));
                at += names.len() + 2;
            } else if rest.starts_with('}') {
                return Err(wrong(at, "this brace closes nothing; a brace of the text is written }}".into()));
            } else {
                let length = rest.find(['{', '}']).unwrap_or(rest.len());
                literal.push_str(rest.get(..length).unwrap_or_default());
                at += length;
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Template { parts })
    }

    /// What every charge says, where no placeholder takes part.
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether no two charges say the same: the id is part of it.
    pub fn is_unique(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Value(names) if names.as_slice() == [Name::Id]))
    }

    /// Whether it is the quantity and nothing else.
    pub fn is_quantity(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Value(names)] if names.as_slice() == [Name::Quantity])
    }

    /// Whether it begins with a text of this kind, or ends with one, whatever the charge is.
    pub fn is_edged(&self, is_edge: impl Fn(char) -> bool) -> bool {
        let begins = matches!(self.parts.first(), Some(Part::Literal(text)) if text.starts_with(&is_edge));
        begins || matches!(self.parts.last(), Some(Part::Literal(text)) if text.ends_with(&is_edge))
    }

    /// What stands in it besides placeholders.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Value(_) => None,
        })
    }
}

fn alternatives(names: &str) -> Result<Vec<Name>, String> {
    names.split('|').map(|name| read(name).ok_or_else(|| unknown(name))).collect()
}

fn read(name: &str) -> Option<Name> {
    let plain = PLAIN.into_iter().find(|(known, _)| *known == name).map(|(_, name)| name);
    let named = |prefix| name.strip_prefix(prefix).filter(|name: &&str| !name.is_empty()).map(str::to_owned);
    plain.or_else(|| named("tag.").map(Name::Tag)).or_else(|| named("attribute.").map(Name::Attribute))
}

fn unknown(name: &str) -> String {
    let known = PLAIN.iter().map(|(known, _)| *known);
    let shown = name.escape_debug();
    if matches!(name, "tag" | "tag." | "attribute" | "attribute.") {
        let which = name.trim_end_matches('.');
        return format!("{{{shown}}} does not say which {which}: {{{which}.NAME}}");
    }
    match nearest(name.trim(), known.clone()) {
        Some(meant) => format!("there is no {{{shown}}}; {{{meant}}} is known"),
        None => {
            let known: Vec<String> = known.map(|known| format!("{{{known}}}")).collect();
            format!("there is no {{{shown}}}; there are {}, {{tag.NAME}} and {{attribute.NAME}}", known.join(", "))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Template, String> {
        Template::parse("columns.c", text)
    }

    #[test]
    fn a_template_is_literal_text_and_placeholders() {
        let literal = |text: &str| Part::Literal(text.into());
        let names = vec![Name::Attribute("a b:{/é".into()), Name::Customer];
        assert_eq!(
            parse("i-{{{attribute.a b:{/é|customer}}}").unwrap().parts,
            [literal("i-{"), Part::Value(names), literal("}")]
        );
        assert_eq!(parse("{{}}").unwrap().constant(), Some("{}"));
        assert_eq!(parse("").unwrap().constant(), Some(""));
        assert_eq!(parse("{id}").unwrap().constant(), None);
        for (text, unique) in [("x-{id}", true), ("{tag.a|id}", false), ("{customer}", false), ("id", false)] {
            assert_eq!(parse(text).unwrap().is_unique(), unique, "{text}");
        }
    }

    #[test]
    fn a_text_at_either_end_is_told_from_what_charges_say() {
        for (text, is_edged) in
            [(":{id}", true), ("{id}:", true), ("a:{id}", false), ("{id}:{id}", false), ("", false), (":", true)]
        {
            assert_eq!(parse(text).unwrap().is_edged(|letter| letter == ':'), is_edged, "{text}");
        }
    }

    #[test]
    fn an_error_names_the_column_and_the_place() {
        for (text, why) in [
            ("é{tag.x", "columns.c: at character 2 of \"é{tag.x\": this brace is never closed"),
            ("a}b", "at character 2 of \"a}b\": this brace closes nothing"),
            ("{}", "at character 1 of \"{}\": there is no {}; there are {product},"),
            ("x{custmer}", "at character 2 of \"x{custmer}\": there is no {custmer}; {customer} is known"),
            ("{ customer }", "{customer} is known"),
            ("{customer|}", "there is no {}"),
            ("{tag.}", "{tag.} does not say which tag: {tag.NAME}"),
            ("{attribute}", "{attribute} does not say which attribute"),
            ("{region}", "there is no {region}; there are"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
