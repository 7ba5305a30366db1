//! Why there are no credentials, in words that say what to do.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

use super::super::account::Account;
use super::super::shortened;
use super::transport::causes;

const WHAT_TO_SET: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or name a `profile` in the grant";

/// `purpose` says what for: `to list the bucket`.
pub(in super::super) fn no_credentials(account: &Account, purpose: &str, found: &CredentialsError) -> String {
    let causes = shortened(&causes(found));
    // Whoever assumes a role needs credentials for that.
    let is_missing = matches!(innermost(found), CredentialsError::CredentialsNotLoaded(_));
    match (&account.profile, &account.role) {
        (Some(profile), _) if is_missing => format!(
            "the profile `{profile}` gives no AWS credentials {purpose}: mend ~/.aws/config or ~/.aws/credentials ({causes})"
        ),
        (None, _) if is_missing => format!("no AWS credentials were found {purpose}: {WHAT_TO_SET}"),
        (_, Some(role)) => format!("the role {role} cannot be assumed {purpose}: {causes}"),
        (Some(profile), None) => format!("the profile `{profile}` gives no AWS credentials {purpose}: {causes}"),
        (None, None) => format!("AWS credentials cannot be had {purpose}: {causes}; {WHAT_TO_SET}"),
    }
}

/// The first of the errors about credentials that led to each other.
fn innermost(outermost: &CredentialsError) -> &CredentialsError {
    let mut innermost = outermost;
    while let Some(inner) = innermost.source().and_then(cause) {
        innermost = inner;
    }
    innermost
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref() {
            return Some(found);
        }
        cause = current.source();
    }
    None
}
