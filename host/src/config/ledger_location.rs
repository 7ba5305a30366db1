//! Where a pipeline's ledger is.

use std::path::{Path, PathBuf};

/// Where a pipeline's ledger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerLocation {
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// A text that names no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerLocationError {
    /// A ledger on S3.
    #[error("a ledger on S3 is not supported by this version; write `sqlite:PATH`")]
    S3,
    /// Anything else.
    #[error("a ledger is written as `sqlite:PATH`")]
    Unknown,
}

impl LedgerLocation {
    /// Reads `sqlite:PATH`, the path relative to `base`.
    ///
    /// # Errors
    /// It names a place that this version has no ledger for.
    pub fn parse(text: &str, base: &Path) -> Result<Self, LedgerLocationError> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(base.join(path))),
            Some(("s3", _)) => Err(LedgerLocationError::S3),
            _ => Err(LedgerLocationError::Unknown),
        }
    }

    /// `NAME.ledger.db` in the pipeline file's folder. What a file name cannot hold becomes a hyphen; spaces and Unicode stay.
    pub fn beside(base: &Path, pipeline: &str) -> Self {
        let safe = |(index, letter): (usize, char)| {
            let hides = index == 0 && letter == '.';
            if hides || letter.is_control() || r#"/\:*?"<>|"#.contains(letter) { '-' } else { letter }
        };
        let name: String = pipeline.chars().enumerate().map(safe).collect();
        Self::Sqlite(base.join(format!("{name}.ledger.db")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(path: &str) -> LedgerLocation {
        LedgerLocation::Sqlite(PathBuf::from(path))
    }

    #[test]
    fn a_ledger_is_relative_to_the_file_unless_it_is_absolute() {
        let base = Path::new("pipelines");
        assert_eq!(LedgerLocation::parse("sqlite:state/a.db", base), Ok(sqlite("pipelines/state/a.db")));
        assert_eq!(LedgerLocation::parse("sqlite:/var/a.db", base), Ok(sqlite("/var/a.db")));
    }

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        for (name, file) in [
            ("postgres-prod", "a/postgres-prod.ledger.db"),
            ("Données PROD äöü", "a/Données PROD äöü.ledger.db"),
            ("../../etc/passwd", "a/-.-..-etc-passwd.ledger.db"),
            ("a:b", "a/a-b.ledger.db"),
        ] {
            assert_eq!(LedgerLocation::beside(Path::new("a"), name), sqlite(file));
        }
    }
}
