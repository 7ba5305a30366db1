//! Where credentials come from. Whatever comes out of here is known to the redactor before anybody else sees it.

use std::fmt;
use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future};
use aws_types::region::Region;

use super::super::redact::Redactor;
use super::{SESSION_NAME, Surroundings};

/// The machine's metadata service answers within milliseconds, or is not there.
const METADATA_PATIENCE: Duration = Duration::from_secs(1);
/// No secret of AWS is shorter. What is comes from a store or an emulator whose secret is `test`, and blotting that out would make
/// every report unreadable.
const LEAST_SECRET: usize = 8;

impl Surroundings {
    /// The credentials of the account, looked for whenever they are asked for. The region is that of the service that hands out a role's.
    pub(in super::super) async fn credentials(
        &self,
        region: &str,
        redactor: &Redactor,
    ) -> Result<SharedCredentialsProvider, String> {
        let region = Region::new(region.to_owned());
        let own = Known::by(redactor, self.chain(&region)?);
        let Some(role) = &self.account.role else { return Ok(own) };
        let mut shared = self.shared.to_builder().region(region);
        if let Some(endpoint) = self.set("AWS_ENDPOINT_URL_STS") {
            shared = shared.endpoint_url(endpoint);
        }
        let role = AssumeRoleProvider::builder(role).session_name(SESSION_NAME).configure(&shared.build());
        let role = role.build_from_provider(own).await;
        Ok(Known::by(redactor, SharedCredentialsProvider::new(role)))
    }

    /// The sources that are asked one after the other.
    fn chain(&self, region: &Region) -> Result<SharedCredentialsProvider, String> {
        let provider = self.provider.clone().with_region(Some(region.clone()));
        let mut of_profile =
            ProfileFileCredentialsProvider::builder().configure(&provider).profile_files(self.files.clone());
        if let Some(profile) = &self.profile {
            of_profile = of_profile.profile_name(profile);
        }
        let of_profile = of_profile.build();
        if self.account.profile.is_some() {
            return Ok(SharedCredentialsProvider::new(of_profile));
        }
        let mut chain =
            CredentialsProviderChain::first_try("Environment", self.in_environment()).or_else("Profile", of_profile);
        if let (Some(token), Some(role)) = (self.set("AWS_WEB_IDENTITY_TOKEN_FILE"), self.set("AWS_ROLE_ARN")) {
            let session_name = self.set("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| SESSION_NAME.to_owned());
            let fixed = StaticConfiguration { web_identity_token_file: token.into(), role_arn: role, session_name };
            let provider =
                WebIdentityTokenCredentialsProvider::builder().configure(&provider).static_configuration(fixed).build();
            chain = chain.or_else("WebIdentityToken", provider);
        }
        chain = chain.or_else("Container", EcsCredentialsProvider::builder().configure(&provider).build());
        if !self.set("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            let mut client = aws_config::imds::Client::builder()
                .configure(&provider)
                .max_attempts(2)
                .connect_timeout(METADATA_PATIENCE)
                .read_timeout(METADATA_PATIENCE);
            if let Some(endpoint) = self.set("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
                client = client
                    .endpoint(&endpoint)
                    .map_err(|error| format!("AWS_EC2_METADATA_SERVICE_ENDPOINT is set to `{endpoint}`: {error}"))?;
            }
            let machine = ImdsCredentialsProvider::builder().configure(&provider).imds_client(client.build()).build();
            chain = chain.or_else("Machine", machine);
        }
        Ok(SharedCredentialsProvider::new(chain))
    }

    /// The credentials that stand in the environment.
    fn in_environment(&self) -> InEnvironment {
        InEnvironment(match (self.set("AWS_ACCESS_KEY_ID"), self.set("AWS_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => {
                Some(Credentials::new(id, secret, self.set("AWS_SESSION_TOKEN"), None, "Environment"))
            }
            _ => None,
        })
    }
}

#[derive(Debug)]
struct InEnvironment(Option<Credentials>);

impl ProvideCredentials for InEnvironment {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let missing = || CredentialsError::not_loaded("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set");
        future::ProvideCredentials::ready(self.0.clone().ok_or_else(missing))
    }
}

/// Tells the redactor of all that passes.
struct Known {
    inner: SharedCredentialsProvider,
    redactor: Redactor,
}

impl Known {
    fn by(redactor: &Redactor, inner: SharedCredentialsProvider) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Known { inner, redactor: redactor.clone() })
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Known").field(&self.inner).finish()
    }
}

impl ProvideCredentials for Known {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let found = self.inner.provide_credentials().await?;
            let secret = Some(found.secret_access_key()).filter(|secret| secret.len() >= LEAST_SECRET);
            for (name, value) in [("AWS secret access key", secret), ("AWS session token", found.session_token())] {
                if let Some(value) = value {
                    self.redactor.add_secret(name, value);
                }
            }
            Ok(found)
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.inner.fallback_on_interrupt()
    }
}
