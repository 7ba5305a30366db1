//! The folder that drops lie in.

use std::fmt::{Display, Formatter};

/// A folder below the granted URL, never the granted URL itself: CloudZero asks for a "root path" and refuses the bucket's own root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(String);

impl Root {
    /// The folder of this path, whose parts are separated by `/`.
    ///
    /// # Errors
    /// It is none; in a person's words.
    pub fn parse(path: &str) -> Result<Root, String> {
        let wrong = |what: &str| Err(format!("root: \"{}\" is no place for drops: {what}", path.escape_debug()));
        if path.is_empty() {
            return wrong("drops never lie in the root of a bucket; name a folder, such as \"meterhost\"");
        }
        if path.starts_with('/') || path.ends_with('/') {
            return wrong("it neither begins nor ends with a slash");
        }
        if path.contains('\\') {
            return wrong("folders are separated by /, and a backslash is part of no name");
        }
        if path.chars().any(char::is_control) {
            return wrong("it has a control character");
        }
        match path.split('/').find(|part| matches!(*part, "" | "." | "..")) {
            Some("") => wrong("one of its folders has no name"),
            Some(part) => wrong(&format!("{part} is no folder's name")),
            None => Ok(Root(path.to_owned())),
        }
    }
}

impl Display for Root {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::Root;

    #[test]
    fn a_root_is_a_folder_that_leads_nowhere_else() {
        for good in ["a", "billing/cloudzero", "a.b", "..a", "Größe 1"] {
            assert_eq!(Root::parse(good).unwrap().to_string(), good);
        }
        for (bad, why) in [
            ("", "root of a bucket"),
            ("/", "slash"),
            ("a/", "slash"),
            ("/a", "slash"),
            ("a//b", "no name"),
            (".", ". is no folder's name"),
            ("a/../b", ".. is no folder's name"),
            ("a\\b", "backslash"),
            ("a\nb", "control character"),
        ] {
            let error = Root::parse(bad).unwrap_err();
            assert!(error.contains(why), "{bad:?}: {error}");
        }
    }
}
