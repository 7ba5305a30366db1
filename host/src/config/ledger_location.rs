//! Where a pipeline's ledger is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::units;

/// How long a run that is not heard of keeps the ledger, unless its URL says so.
const LEASE: Duration = Duration::from_secs(30);
/// A shorter lease would be lost to the network's moods, and a longer one keeps the next run waiting for no gain.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
const LONGEST_LEASE: Duration = Duration::from_secs(3600);
/// What may stand in the URL behind the question mark.
const SETTINGS: &str = "`lease`, `region`, `role` and `profile`";

/// Where a pipeline's ledger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerLocation {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// Objects in a bucket of S3.
    S3(Box<S3Location>),
}

/// Where in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    /// The URL without its settings: `s3://bucket/prefix`.
    pub url: String,
    /// How long a run that is not heard of keeps the ledger.
    pub lease: Duration,
    /// As in a grant.
    pub region: Option<String>,
    /// As in a grant.
    pub role: Option<String>,
    /// As in a grant.
    pub profile: Option<String>,
}

/// A text that names no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerLocationError {
    /// It names neither a file nor a bucket.
    #[error("a ledger is written as `sqlite:PATH` or `s3://BUCKET/PREFIX`")]
    Unknown,
    /// The objects would lie among others.
    #[error("a ledger on S3 needs a prefix of its own: `s3://BUCKET/PREFIX`")]
    NoPrefix,
    /// A setting in the URL that there is not.
    #[error("`{0}` is no setting of a ledger on S3: there are {SETTINGS}")]
    UnknownSetting(String),
    /// A setting whose value cannot be one.
    #[error("`lease` is a length of time from 1s to 1h, such as `lease=30s`, and not `{0}`")]
    Lease(String),
}

impl LedgerLocation {
    /// Reads `sqlite:PATH`, the path relative to `base`, or `s3://BUCKET/PREFIX?lease=30s`.
    ///
    /// # Errors
    /// It names no place.
    pub fn parse(text: &str, base: &Path) -> Result<Self, LedgerLocationError> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(base.join(path))),
            Some(("s3", rest)) if rest.starts_with("//") => S3Location::parse(text).map(|found| Self::S3(found.into())),
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

impl fmt::Display for LedgerLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LedgerLocation::Sqlite(path) => write!(f, "{}", path.display()),
            LedgerLocation::S3(location) => f.write_str(&location.url),
        }
    }
}

impl S3Location {
    fn parse(text: &str) -> Result<Self, LedgerLocationError> {
        let (url, settings) = text.split_once('?').unwrap_or((text, ""));
        let url = url.trim_end_matches('/').to_owned();
        if url.trim_start_matches("s3://").split_once('/').is_none_or(|(_, prefix)| prefix.is_empty()) {
            return Err(LedgerLocationError::NoPrefix);
        }
        let mut found = S3Location { url, lease: LEASE, region: None, role: None, profile: None };
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            match name {
                "lease" => {
                    let possible = |lease: &Duration| (SHORTEST_LEASE..=LONGEST_LEASE).contains(lease);
                    let lease = units::duration(value).filter(possible);
                    found.lease = lease.ok_or_else(|| LedgerLocationError::Lease(value.to_owned()))?;
                }
                "region" => found.region = Some(value.to_owned()),
                "role" => found.role = Some(value.to_owned()),
                "profile" => found.profile = Some(value.to_owned()),
                other => return Err(LedgerLocationError::UnknownSetting(other.to_owned())),
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(path: &str) -> LedgerLocation {
        LedgerLocation::Sqlite(PathBuf::from(path))
    }

    fn s3(text: &str) -> Result<S3Location, LedgerLocationError> {
        match LedgerLocation::parse(text, Path::new("."))? {
            LedgerLocation::S3(location) => Ok(*location),
            LedgerLocation::Sqlite(path) => panic!("{} is no bucket", path.display()),
        }
    }

    #[test]
    fn a_ledger_is_relative_to_the_file_unless_it_is_absolute() {
        let base = Path::new("pipelines");
        assert_eq!(LedgerLocation::parse("sqlite:state/a.db", base), Ok(sqlite("pipelines/state/a.db")));
        assert_eq!(LedgerLocation::parse("sqlite:/var/a.db", base), Ok(sqlite("/var/a.db")));
    }

    #[test]
    fn a_ledger_on_s3_has_a_lease_and_an_account() {
        let found = s3("s3://bucket/a/b/?lease=15s&region=eu-west-1&role=arn:aws:iam::123456789012:role/m").unwrap();
        assert_eq!((found.url.as_str(), found.lease), ("s3://bucket/a/b", Duration::from_secs(15)));
        assert_eq!((found.region.as_deref(), found.profile), (Some("eu-west-1"), None));
        assert_eq!(found.role.as_deref(), Some("arn:aws:iam::123456789012:role/m"));
        assert_eq!(s3("s3://bucket/a").unwrap().lease, LEASE);
    }

    #[test]
    fn what_cannot_be_a_ledger_on_s3_is_named() {
        for (text, error) in [
            ("s3://bucket", LedgerLocationError::NoPrefix),
            ("s3://bucket/", LedgerLocationError::NoPrefix),
            ("s3:bucket/a", LedgerLocationError::Unknown),
            ("s3://bucket/a?leas=15s", LedgerLocationError::UnknownSetting("leas".to_owned())),
            ("s3://bucket/a?lease", LedgerLocationError::Lease(String::new())),
            ("s3://bucket/a?lease=0s", LedgerLocationError::Lease("0s".to_owned())),
            ("s3://bucket/a?lease=soon", LedgerLocationError::Lease("soon".to_owned())),
        ] {
            assert_eq!(s3(text), Err(error), "{text}");
        }
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
