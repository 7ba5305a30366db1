//! With which credentials, and where, AWS is reached: the buckets of a grant, and its services.

use super::grant::{GrantError, Problem};
use crate::config::GrantSpec;

/// The identity and region for AWS. What is not named comes from the environment, as for every program that uses an AWS SDK.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Account {
    /// The ARN of a role, assumed over the credentials that are found.
    pub role: Option<String>,
    /// The profile of the AWS configuration files; with it, credentials in the environment are not used.
    pub profile: Option<String>,
    /// Such as `eu-west-1`.
    pub region: Option<String>,
}

impl Account {
    /// Reads what a grant says of it. Where another part of the grant is wrong, it is not known whether anything lies on AWS.
    pub(super) fn read(spec: &GrantSpec, is_incomplete: bool) -> (Account, Vec<GrantError>) {
        let value = |located: &Option<crate::config::Located<String>>| located.as_ref().map(|text| text.value.clone());
        let account = Account { role: value(&spec.role), profile: value(&spec.profile), region: value(&spec.region) };
        let places = [&spec.read, &spec.write].into_iter().flatten();
        let on_aws = !spec.aws.is_empty() || places.into_iter().any(|url| url.value.starts_with("s3://"));
        let mut errors = Vec::new();
        if let Err((field, problem)) = account.check(on_aws || is_incomplete) {
            let located = match field {
                "role" => &spec.role,
                "profile" => &spec.profile,
                _ => &spec.region,
            };
            errors.extend(located.as_ref().map(|text| problem.at(field.to_owned(), &text.span)));
        }
        (account, errors)
    }

    /// The first key that means nothing, and why.
    pub(super) fn check(&self, on_aws: bool) -> Result<(), (&'static str, Problem)> {
        let named = [("role", &self.role), ("profile", &self.profile), ("region", &self.region)];
        if let Some((field, _)) = named.into_iter().find(|(_, value)| value.is_some() && !on_aws) {
            return Err((
                field,
                Problem::new(
                    format!("`{field}` is for AWS, and nothing there is granted"),
                    format!(
                        "leave `{field}` out, or grant a bucket, `read = \"s3://bucket/prefix\"`, or an action, `aws = {{ \"dynamodb:Query\" = [\"TABLE\"] }}`"
                    ),
                ),
            ));
        }
        if let Some(role) = self.role.as_ref().filter(|role| !is_role(role)) {
            let message = format!("`{role}` is not the ARN of a role");
            return Err(("role", Problem::new(message, "write `arn:aws:iam::123456789012:role/NAME`")));
        }
        if self.profile.as_ref().is_some_and(|profile| profile.trim().is_empty()) {
            return Err(("profile", Problem::new("`profile` is empty", "write the profile's name, or leave it out")));
        }
        if let Some(region) = self.region.as_ref().filter(|region| !is_region(region)) {
            return Err(("region", Problem::new(format!("`{region}` is not a region"), "write it as in `eu-west-1`")));
        }
        Ok(())
    }

    /// What `explain` adds to what lies on AWS.
    pub(super) fn described(&self) -> String {
        let mut text = String::new();
        if let Some(role) = &self.role {
            text += &format!(", as {role}");
        }
        if let Some(profile) = &self.profile {
            text += &format!(", with the credentials of the profile {profile}");
        }
        text
    }

    /// The partition and the account that the role is of.
    pub(super) fn of_role(&self) -> Option<(&str, &str)> {
        let mut parts = self.role.as_ref()?.split(':').skip(1);
        let partition = parts.next()?;
        Some((partition, parts.nth(2)?))
    }
}

fn is_role(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, "iam", "", account, name]
        if partition.starts_with("aws") && account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
            && name.starts_with("role/") && name.len() > "role/".len() && !name.contains(char::is_whitespace))
}

/// It becomes part of a host's name, so that nothing else may stand in it.
pub(super) fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
