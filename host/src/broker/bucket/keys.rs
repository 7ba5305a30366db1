//! Keys below a granted prefix.
//!
//! A key of S3 is a text and not a path: nothing in it leads anywhere, and what is asked for is always the prefix and the key, one
//! after the other. So a key may hold empty parts and begin with `/`. Parts that are `.` or `..` are refused all the same: between
//! here and the store, a URL's rules would fold them away, and another object would be meant.

use super::super::errors::ObjectError;
use super::super::folder::shown;

/// Judges the key of an object.
pub(super) fn check(key: &str) -> Result<(), ObjectError> {
    if key.is_empty() {
        return Err(ObjectError::Other("the empty text is not a key".to_owned()));
    }
    if key.split('/').any(|part| [".", ".."].contains(&part)) {
        return Err(ObjectError::Other(format!(
            "the key {} has `.` or `..` between its slashes, which no URL can hold unchanged; copy the object to another key",
            shown(key)
        )));
    }
    Ok(())
}
