//! Who asks AWS, and what the machine says of where: what buckets and calls of services have in common.
//!
//! | file | subject |
//! |---|---|
//! | here | the surroundings of an account: profile, region, endpoints |
//! | `chain` | the sources of credentials, one after the other |
//! | `faults` | why there are none, in words that say what to do |
//! | `transport` | the SDK's requests over the broker's own HTTP client |
//!
//! | what | where it comes from, in this order |
//! |---|---|
//! | credentials | `profile` of the grant, alone; else `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, the profile `AWS_PROFILE` or `default`, a web identity token, the container's credentials (ECS, EKS), the machine's (EC2) |
//! | `role` | assumed over those |
//! | region | `region` of the grant, `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile; `us-east-1` where an endpoint is set |
//! | endpoint | `AWS_ENDPOINT_URL_` with the service's name, `AWS_ENDPOINT_URL`, the profile |
//!
//! The order is the one of the AWS SDKs ("Credentials and access", docs.aws.amazon.com/sdkref). The machine's own region is not
//! asked for: where there is no metadata service, asking takes long.

mod chain;
mod faults;
mod transport;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;

use super::account::{Account, is_region};
use super::exchange::Exchanges;
use super::secrets::Environment;
pub(super) use faults::no_credentials;
pub(super) use transport::{NotConnected, Transport, causes};

/// All sources of credentials together, a role that is assumed included.
pub(super) const CREDENTIALS_PATIENCE: Duration = Duration::from_secs(30);
/// What AWS shows in its own logs for whoever assumed a role.
const SESSION_NAME: &str = "meterhost";

/// A service as the environment and the configuration files name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceNames {
    /// `Marketplace Metering`; in a profile's section of services it is `marketplace_metering`.
    pub(super) id: &'static str,
    /// `AWS_ENDPOINT_URL_MARKETPLACE_METERING`.
    pub(super) endpoint: &'static str,
}

/// What is known of an account before anything is sent.
pub(super) struct Surroundings {
    account: Account,
    env: Environment,
    profile: Option<String>,
    files: EnvConfigFiles,
    provider: ProviderConfig,
    /// What the profile says, for the clients of an SDK.
    pub(super) shared: SdkConfig,
    /// That of the grant, the environment or the profile.
    named_region: Option<String>,
    exchanges: Arc<Exchanges>,
}

/// The region that the grant or the environment names.
pub(super) fn named_region(account: &Account, env: &Environment) -> Option<String> {
    let set = |name: &str| set(env, name);
    account.region.clone().or_else(|| set("AWS_REGION")).or_else(|| set("AWS_DEFAULT_REGION"))
}

impl Surroundings {
    /// Reads the environment and the configuration files. Nothing is sent.
    pub(super) async fn of(account: &Account, env: &Environment, exchanges: &Arc<Exchanges>) -> Self {
        let set = |name: &str| set(env, name);
        let profile = account.profile.clone().or_else(|| set("AWS_PROFILE"));
        let files = profile_files(&set);
        let transport = Transport { exchanges: Arc::clone(exchanges), for_credentials: true };
        let provider = ProviderConfig::without_region()
            .with_http_client(transport.clone())
            .with_sleep_impl(TokioSleep::new())
            .with_behavior_version(Some(BehaviorVersion::latest()));
        let named_region = match named_region(account, env) {
            Some(region) => Some(region),
            None => {
                let mut builder =
                    ProfileFileRegionProvider::builder().configure(&provider).profile_files(files.clone());
                if let Some(profile) = &profile {
                    builder = builder.profile_name(profile);
                }
                builder.build().region().await.map(|region| region.as_ref().to_owned())
            }
        };
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(transport)
            .sleep_impl(TokioSleep::new())
            .profile_files(files.clone())
            .region(named_region.clone().map(Region::new))
            .no_credentials();
        if let Some(profile) = &profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = set("AWS_ENDPOINT_URL") {
            loader = loader.endpoint_url(endpoint);
        }
        let shared = loader.load().await;
        Surroundings {
            account: account.clone(),
            env: Arc::clone(env),
            profile,
            files,
            provider,
            shared,
            named_region,
            exchanges: Arc::clone(exchanges),
        }
    }

    /// The endpoint that somebody set for a service.
    pub(super) fn endpoint(&self, service: ServiceNames) -> Option<String> {
        let of_profile = || {
            let key = ServiceConfigKey::builder()
                .service_id(service.id)
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build()
                .ok()?;
            let of_service = self.shared.service_config().and_then(|service| service.load_config(key));
            of_service.or_else(|| self.shared.endpoint_url().map(str::to_owned))
        };
        self.set(service.endpoint).or_else(|| self.set("AWS_ENDPOINT_URL")).or_else(of_profile)
    }

    /// The region. `sought` follows "it is not known in which AWS region".
    pub(super) fn region(&self, endpoint: Option<&str>, sought: &str) -> Result<String, String> {
        let named = self.named_region.clone();
        let region = named.or_else(|| endpoint.map(|_| "us-east-1".to_owned())).ok_or_else(|| {
            format!(
                "it is not known in which AWS region {sought}: write `region = \"eu-west-1\"` into the grant, or set AWS_REGION"
            )
        })?;
        match is_region(&region) {
            true => Ok(region),
            false => Err(format!(
                "`{region}` is not an AWS region: mend AWS_REGION or the profile, or write `region = \"eu-west-1\"` into the grant"
            )),
        }
    }

    /// A variable of the environment that is set, and not to nothing.
    pub(super) fn set(&self, name: &str) -> Option<String> {
        set(&self.env, name)
    }

    /// The requests of a client that is no part of looking for credentials.
    pub(super) fn transport(&self) -> Transport {
        Transport { exchanges: Arc::clone(&self.exchanges), for_credentials: false }
    }
}

fn set(env: &Environment, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

/// The configuration files of AWS that are there.
fn profile_files(set: &dyn Fn(&str) -> Option<String>) -> EnvConfigFiles {
    let mut builder = EnvConfigFiles::builder()
        // There has to be one.
        .with_contents(EnvConfigFileKind::Config, String::new());
    for (kind, variable, name) in [
        (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", "config"),
        (EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ] {
        let path = set(variable)
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| Path::new(&home).join(".aws").join(name)));
        if let Some(path) = path.filter(|path| path.is_file()) {
            builder = builder.with_file(kind, path);
        }
    }
    builder.build()
}
