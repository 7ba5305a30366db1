//! Where granted objects lie: a folder, or the keys of a bucket that begin alike.
//!
//! | URL | grants |
//! |---|---|
//! | `file://./folder` | the files below the folder, which stands beside the pipeline file |
//! | `file:///folder` | the files below a folder anywhere |
//! | `s3://bucket` | every object of the bucket |
//! | `s3://bucket/a/b` | the objects whose keys begin with `a/b/`, never `a/bc`; a slash at the end changes nothing |
//!
//! What follows the scheme is taken as it is written, without percent-decoding: it is a path or a key more often than a URL.

use std::fmt;
use std::path::{Path, PathBuf};

use super::grant::Problem;
use crate::config::below;

/// A place that holds objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    Folder(PathBuf),
    Bucket(BucketRoot),
}

/// The objects of a bucket whose keys begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BucketRoot {
    pub(super) bucket: String,
    /// Of the keys: empty, or ending in `/`.
    pub(super) prefix: String,
}

impl Root {
    pub(super) fn is_bucket(&self) -> bool {
        matches!(self, Root::Bucket(_))
    }

    /// As a pipeline file names it, where that is the same in every file.
    pub(super) fn url(&self) -> Option<String> {
        match self {
            Root::Folder(_) => None,
            Root::Bucket(root) => Some(root.to_string()),
        }
    }
}

/// Follows "lists and reads".
impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Root::Folder(folder) => write!(f, "files below {}", folder.display()),
            Root::Bucket(root) => write!(f, "objects below {root}"),
        }
    }
}

impl fmt::Display for BucketRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// Reads the URL of a folder, relative to `base`, or of a bucket.
pub(super) fn read(url: &str, base: &Path) -> Result<Root, Problem> {
    const HELP: &str = "write `file://./folder` for a folder beside the pipeline file, `file:///folder` for any other, `s3://bucket/prefix` \
                        for a bucket";
    if let Some(place) = url.strip_prefix("s3://") {
        return bucket(url, place).map(Root::Bucket);
    }
    let Some(path) = url.strip_prefix("file://") else {
        return Err(Problem::new(format!("`{url}` is not the URL of a folder or bucket"), HELP));
    };
    if path.contains('\0') {
        return Err(Problem::new("a NUL character stands in the path", HELP));
    }
    let relative = [".", ".."].contains(&path) || path.starts_with("./") || path.starts_with("../");
    if !relative && !path.starts_with('/') {
        let host = path.split('/').next().unwrap_or_default();
        return Err(Problem::new(format!("`{url}` names the machine `{host}`, not a folder"), HELP));
    }
    Ok(Root::Folder(below(base, path)))
}

fn bucket(url: &str, place: &str) -> Result<BucketRoot, Problem> {
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    // The oldest buckets, and stores other than AWS, also have capitals, underscores and up to 255 characters.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let inside = bucket.bytes().all(plain) && (3..=255).contains(&bucket.len());
    if !inside || !bucket.starts_with(|c: char| c.is_ascii_alphanumeric()) || bucket.contains("..") {
        return Err(Problem::new(
            format!("`{bucket}` cannot be the name of a bucket"),
            "write `s3://bucket/prefix`; a bucket's name has at least three lower-case letters, digits, `-` or `.`",
        ));
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    if prefix.is_empty() {
        return Ok(BucketRoot { bucket: bucket.to_owned(), prefix: String::new() });
    }
    let odd = prefix.split('/').find(|part| ["", ".", ".."].contains(part));
    if odd.is_some() {
        return Err(Problem::new(
            format!("the prefix of `{url}` has an empty part, `.` or `..` between its slashes"),
            "write the prefix as the keys have it: `s3://bucket/a/b`",
        ));
    }
    // What a policy of IAM would end in. Taken at its word it would find nothing, and nothing would be billed.
    if prefix.contains('*') {
        return Err(Problem::new(
            format!("a `*` stands in `{url}`, but a grant holds all keys below its prefix anyway"),
            "leave the `*` out: `s3://bucket/prefix`",
        ));
    }
    Ok(BucketRoot { bucket: bucket.to_owned(), prefix: format!("{prefix}/") })
}
