//! What a pipeline lets one plugin reach, parsed once into a type that answers "may I?".
//!
//! | grant | holds |
//! |---|---|
//! | `read = "file://./folder"` | listing and reading the files below that folder |
//! | `write = "file://./folder"` | writing and deleting files below it |
//! | `read`, `write = "s3://bucket/prefix"` | the same for the objects of a bucket whose keys begin with `prefix/` |
//! | `aws = { "dynamodb:Query" = ["Table"] }` | calls of AWS services, by action and resource |
//! | `role`, `profile`, `region` | with which credentials, and where, buckets and services are reached |
//! | `http = ["https://host"]` | requests to that origin; narrowed by `{ url, methods, paths }` |
//! | `secrets.NAME = { env = "VARIABLE" }` | a secret, sent to one granted origin only |

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use http::Method;

use super::account::Account;
use super::aws::AwsGrants;
use super::denial;
use super::origin::Origin;
use super::paths::{self, PathPattern};
use super::root::{self, Root};
use crate::config::{GrantSpec, HttpGrantSpec, Located, SecretSource, SecretSpec, below};

/// The grants of one plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    pub(super) read: Option<Root>,
    pub(super) write: Option<Root>,
    /// For the buckets among them, and for `aws`.
    pub(super) account: Account,
    pub(super) aws: AwsGrants,
    pub(super) http: Vec<HttpGrant>,
    pub(super) secrets: BTreeMap<String, SecretGrant>,
    /// Whether they are written as `grant = { ... }`, in which a line of its own has no place.
    pub inline: bool,
}

/// One thing that is wrong with a `grant` table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GrantError {
    /// Below `grant`: `read`, `http[0]`, `secrets.client_id`.
    pub field: String,
    /// The bytes of the pipeline file.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// An origin, and what of it is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HttpGrant {
    pub(super) origin: Origin,
    pub(super) methods: Option<Vec<Method>>,
    pub(super) paths: Option<Vec<PathPattern>>,
}

/// Where a secret comes from, and the one origin that it is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretGrant {
    pub(super) from: SecretSource,
    pub(super) to: Origin,
}

/// How far a request is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HttpAnswer {
    Granted,
    /// The origin is granted, but not with this method or path.
    Narrowed,
    NotGranted,
}

impl Grants {
    /// Nothing outside the sandbox: what `describe` runs with.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a plugin's `grant` table. Folders are relative to `base`, the folder of the pipeline file; none of them needs to
    /// exist yet. All that is wrong is reported at once.
    pub fn parse(spec: &GrantSpec, base: &Path) -> Result<Grants, Vec<GrantError>> {
        let mut errors = Vec::new();
        let mut root = |field: &str, url: &Option<Located<String>>| {
            let url = url.as_ref()?;
            root::read(&url.value, base).map_err(|problem| errors.push(problem.at(field.to_owned(), &url.span))).ok()
        };
        let read = root("read", &spec.read);
        let write = root("write", &spec.write);
        let (account, problems) = Account::read(spec, !errors.is_empty());
        errors.extend(problems);
        let (aws, problems) = AwsGrants::read(&spec.aws, &account);
        errors.extend(problems);
        let mut http = Vec::new();
        for (index, grant) in spec.http.iter().enumerate() {
            match http_grant(&grant.value) {
                Ok(grant) => http.push(grant),
                Err(problem) => errors.push(problem.at(format!("http[{index}]"), &grant.span)),
            }
        }
        let mut secrets = BTreeMap::new();
        // A secret may be bound to the very origin that could not be read: its error would only repeat that one.
        let origins_are_known = http.len() == spec.http.len();
        for (name, secret) in spec.secrets.iter().filter(|_| origins_are_known) {
            match secret_grant(name, &secret.value, &http, base) {
                Ok(grant) => {
                    secrets.insert(name.clone(), grant);
                }
                Err(problem) => errors.push(problem.at(format!("secrets.{name}"), &secret.span)),
            }
        }
        if errors.is_empty() {
            Ok(Grants { read, write, account, aws, http, secrets, inline: false })
        } else {
            Err(errors)
        }
    }

    /// What the host itself needs to keep something of its own in a folder or bucket, such as a state document: reading and writing
    /// below this URL. A folder is relative to `base`. A session with these grants does the rest:
    ///
    /// ```ignore
    /// let grants = Grants::of_store("s3://bucket/state", base, &Account::default())?;
    /// let session = broker.session("ledger", Arc::new(grants), false);
    /// let etag = session.put("month.json", &bytes, "application/json", &Precondition::Absent).await?;
    /// ```
    ///
    /// # Errors
    /// The URL or the account means nothing; the text says what is wrong and what to write instead.
    pub fn of_store(url: &str, base: &Path, account: &Account) -> Result<Grants, String> {
        let root = root::read(url, base).map_err(|problem| format!("{}; {}", problem.message, problem.help))?;
        account.check(root.is_bucket()).map_err(|(_, problem)| format!("{}; {}", problem.message, problem.help))?;
        Ok(Grants { read: Some(root.clone()), write: Some(root), account: account.clone(), ..Grants::none() })
    }

    /// What the plugin can reach, in plain words, one line each.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let account = |root: &Root| if root.is_bucket() { self.account.described() } else { String::new() };
        if let Some(root) = &self.read {
            lines.push(format!("lists and reads {root}{}", account(root)));
        }
        if let Some(root) = &self.write {
            lines.push(format!("writes and deletes {root}{}", account(root)));
        }
        lines.extend(self.aws.describe(&self.account));
        for grant in &self.http {
            let mut line = format!("sends requests to {}", grant.origin);
            if let Some(methods) = &grant.methods {
                line += &format!(", only {}", list(methods));
            }
            if let Some(paths) = &grant.paths {
                line += &format!(", only to {}", list(paths.iter().map(|path| &path.text)));
            }
            lines.push(line);
        }
        for (name, secret) in &self.secrets {
            let from = match &secret.from {
                SecretSource::Env(variable) => format!("environment variable {variable}"),
                SecretSource::File(path) => format!("file {}", path.display()),
            };
            lines.push(format!(
                "has the secret `{name}` ({from}) put into requests to {}, without seeing it",
                secret.to
            ));
        }
        if lines.is_empty() {
            lines.push("reaches nothing outside the sandbox".to_owned());
        }
        lines
    }

    /// Whether what is read is a folder that is missing, and that the first thing which is written there makes.
    pub fn is_yet_to_be_made(&self) -> bool {
        self.read == self.write && matches!(&self.read, Some(Root::Folder(folder)) if !folder.exists())
    }

    /// Whether it may list and read objects.
    pub fn reads(&self) -> bool {
        self.read.is_some()
    }

    /// Whether it may write and delete objects.
    pub fn writes(&self) -> bool {
        self.write.is_some()
    }

    /// Where a folder lies that it may write to, the same text for the same place. Where it may write nothing, the folder's own name says it.
    pub fn place_of(&self, folder: &str) -> String {
        match &self.write {
            None => folder.to_owned(),
            Some(Root::Folder(root)) => root.join(folder).display().to_string(),
            // A bucket's name is nobody else's, whatever the account.
            Some(Root::Bucket(root)) => format!("{root}{folder}"),
        }
    }

    /// Whether it may use the secret of this name.
    pub fn has_secret(&self, name: &str) -> bool {
        self.secrets.contains_key(name)
    }

    /// The line that would grant the secret of this name.
    pub fn secret_line(&self, name: &str) -> String {
        denial::secret_line(self, name)
    }

    /// Whether it may do this on anything: `dynamodb:Query`.
    pub fn has_action(&self, action: &str) -> bool {
        self.aws.holds(action)
    }

    /// The line that would grant this action, beside those that are granted already.
    pub fn action_line(&self, action: &str) -> String {
        self.aws.action_line(action)
    }

    /// Whether it may send any request.
    pub fn has_http(&self) -> bool {
        !self.http.is_empty()
    }

    /// Whether it may send such a request. `path` is that of a normalised URL.
    pub(super) fn may_send(&self, origin: &Origin, method: &Method, path: &str) -> HttpAnswer {
        let mut answer = HttpAnswer::NotGranted;
        for grant in self.http.iter().filter(|grant| grant.origin == *origin) {
            let method_is_held = grant.methods.as_ref().is_none_or(|methods| methods.contains(method));
            let path_is_held = grant.paths.as_ref().is_none_or(|patterns| paths::holds(patterns, path));
            if method_is_held && path_is_held {
                return HttpAnswer::Granted;
            }
            answer = HttpAnswer::Narrowed;
        }
        answer
    }
}

/// What is wrong, before it is known where.
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) help: String,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Problem { message: message.into(), help: help.into() }
    }

    pub(super) fn at(self, field: String, span: &Range<usize>) -> GrantError {
        GrantError { field, span: span.clone(), message: self.message, help: self.help }
    }
}

fn http_grant(spec: &HttpGrantSpec) -> Result<HttpGrant, Problem> {
    const HELP: &str = "write scheme and host, such as `https://api.example.com`";
    let (_, origin) =
        Origin::read(&spec.url).map_err(|why| Problem::new(format!("`{}` grants nothing: {why}", spec.url), HELP))?;
    let methods = spec.methods.as_ref().map(|methods| methods.iter().map(|text| method(text)).collect()).transpose()?;
    let paths = spec.paths.as_ref().map(|paths| paths.iter().map(|text| path(text)).collect()).transpose()?;
    for (name, empty) in
        [("methods", methods.as_ref().is_some_and(Vec::is_empty)), ("paths", paths.as_ref().is_some_and(Vec::is_empty))]
    {
        if empty {
            return Err(Problem::new(
                format!("`{name}` is empty, so `{}` grants nothing", spec.url),
                format!("leave `{name}` out to allow all"),
            ));
        }
    }
    Ok(HttpGrant { origin, methods, paths })
}

fn method(text: &str) -> Result<Method, Problem> {
    let known = Method::from_bytes(text.as_bytes()).ok();
    known.filter(|_| text.bytes().all(|byte| byte.is_ascii_uppercase())).ok_or_else(|| {
        Problem::new(format!("`{text}` is not a method"), "methods are written in capitals: `GET`, `POST`")
    })
}

fn path(text: &str) -> Result<PathPattern, Problem> {
    PathPattern::parse(text).map_err(|why| {
        Problem::new(
            format!("the path `{text}` {why}"),
            "a path is exact (`/v1/usage`), or a beginning and a star (`/v1/*`)",
        )
    })
}

fn secret_grant(name: &str, spec: &SecretSpec, http: &[HttpGrant], base: &Path) -> Result<SecretGrant, Problem> {
    let origins: BTreeSet<&Origin> = http.iter().map(|grant| &grant.origin).collect();
    let granted = list(&origins);
    let to = match &spec.to {
        Some(to) => {
            let (_, origin) = Origin::read(to).map_err(|why| {
                Problem::new(
                    format!("the secret `{name}` cannot be bound to `{to}`: {why}"),
                    "write scheme and host, such as `https://api.example.com`",
                )
            })?;
            if !origins.contains(&origin) {
                return Err(Problem::new(
                    format!("the secret `{name}` is bound to {origin}, which `http` does not grant"),
                    if http.is_empty() {
                        format!("add `http = [\"{origin}\"]`")
                    } else {
                        format!("granted are: {granted}")
                    },
                ));
            }
            origin
        }
        None => match origins.iter().collect::<Vec<_>>().as_slice() {
            [] => {
                return Err(Problem::new(
                    format!("the secret `{name}` can go nowhere: no origin is granted"),
                    "add the origin that it is for: `http = [\"https://api.example.com\"]`",
                ));
            }
            [only] => (**only).clone(),
            [first, ..] => {
                return Err(Problem::new(
                    format!("it is not said which of the granted origins the secret `{name}` is for"),
                    format!("add `to = \"{first}\"`, or another of: {granted}"),
                ));
            }
        },
    };
    let from = match &spec.from {
        SecretSource::Env(variable) if variable.is_empty() || variable.contains(['=', '\0']) => {
            return Err(Problem::new(
                format!("the secret `{name}` comes from `{variable}`, which cannot be an environment variable"),
                "write the variable's name, such as `{ env = \"API_KEY\" }`",
            ));
        }
        SecretSource::Env(variable) => SecretSource::Env(variable.clone()),
        SecretSource::File(path) => SecretSource::File(below(base, path)),
    };
    Ok(SecretGrant { from, to })
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#[path = "grant_tests.rs"]
mod tests;
