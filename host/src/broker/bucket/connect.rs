//! From an account to a client of S3: credentials, region, endpoint.
//!
//! | what | where it comes from, in this order |
//! |---|---|
//! | credentials | `profile` of the grant, alone; else `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, the profile `AWS_PROFILE` or `default`, a web identity token, the container's credentials (ECS, EKS), the machine's (EC2) |
//! | `role` | assumed over those |
//! | region | `region` of the grant, `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile; `us-east-1` where an endpoint is set |
//! | endpoint | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, the profile; with one, the bucket stands in the path |
//!
//! The order is the one of the AWS SDKs ("Credentials and access", docs.aws.amazon.com/sdkref). The machine's own region is not
//! asked for: where there is no metadata service, asking takes long.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{SharedCredentialsProvider, error::CredentialsError, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Region, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::super::account::{Account, is_region};
use super::super::errors::ObjectError;
use super::super::exchange::Exchanges;
use super::super::secrets::Environment;
use super::BucketLimits;
use super::transport::Transport;

/// The machine's metadata service answers within milliseconds, or is not there.
const METADATA_PATIENCE: Duration = Duration::from_secs(1);
/// All sources of credentials together, a role that is assumed included.
const CREDENTIALS_PATIENCE: Duration = Duration::from_secs(30);
/// What AWS shows in its own logs for whoever assumed a role.
const SESSION_NAME: &str = "meterhost";

/// Sets up a client. Nothing is sent yet: credentials are looked for when the first request needs them.
pub(super) async fn connect(
    account: &Account,
    env: &Environment,
    exchanges: &Arc<Exchanges>,
    limits: &BucketLimits,
) -> Result<Client, ObjectError> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let profile = account.profile.clone().or_else(|| set("AWS_PROFILE"));
    let files = profile_files(&set);
    let for_all = set("AWS_ENDPOINT_URL");
    let transport = |for_credentials| Transport { exchanges: Arc::clone(exchanges), for_credentials };
    let provider = ProviderConfig::without_region()
        .with_http_client(transport(true))
        .with_sleep_impl(TokioSleep::new())
        .with_behavior_version(Some(BehaviorVersion::latest()));

    let named = account.region.clone().or_else(|| set("AWS_REGION")).or_else(|| set("AWS_DEFAULT_REGION"));
    let named = match named {
        Some(region) => Some(region),
        None => {
            let mut builder = ProfileFileRegionProvider::builder().configure(&provider).profile_files(files.clone());
            if let Some(profile) = &profile {
                builder = builder.profile_name(profile);
            }
            builder.build().region().await.map(|region| region.as_ref().to_owned())
        }
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(transport(true))
        .sleep_impl(TokioSleep::new())
        .profile_files(files.clone())
        .region(named.clone().map(Region::new))
        .no_credentials();
    if let Some(profile) = &profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &for_all {
        loader = loader.endpoint_url(endpoint);
    }
    let shared = loader.load().await;
    let endpoint = set("AWS_ENDPOINT_URL_S3").or(for_all).or_else(|| of_profile(&shared));
    let region = named.or_else(|| endpoint.is_some().then(|| "us-east-1".to_owned())).ok_or_else(|| {
        ObjectError::Unavailable(
            "it is not known in which AWS region the bucket lies: write `region = \"eu-west-1\"` into the grant, or set AWS_REGION"
                .to_owned(),
        )
    })?;
    if !is_region(&region) {
        return Err(ObjectError::Unavailable(format!(
            "`{region}` is not an AWS region: mend AWS_REGION or the profile, or write `region = \"eu-west-1\"` into the grant"
        )));
    }
    let provider = provider.with_region(Some(Region::new(region.clone())));
    let own = chain(account, &set, profile.as_deref(), files, &provider)?;
    let credentials = match &account.role {
        None => own,
        Some(role) => {
            let mut shared = shared.to_builder().region(Region::new(region.clone()));
            if let Some(endpoint) = set("AWS_ENDPOINT_URL_STS") {
                shared = shared.endpoint_url(endpoint);
            }
            let role = AssumeRoleProvider::builder(role).session_name(SESSION_NAME).configure(&shared.build());
            SharedCredentialsProvider::new(role.build_from_provider(own).await)
        }
    };
    let retry = RetryConfig::standard().with_max_attempts(limits.attempts).with_initial_backoff(limits.backoff);
    let mut builder = aws_sdk_s3::config::Builder::from(&shared)
        .region(Region::new(region.clone()))
        .credentials_provider(credentials)
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS_PATIENCE).build())
        .http_client(transport(false))
        .retry_config(retry)
        // The transport and the readers have their own, which know how long a body is.
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = endpoint {
        // Few stores beside AWS have a name for each bucket.
        builder = builder.endpoint_url(endpoint).force_path_style(true);
    }
    Ok(Client::from_conf(builder.build()))
}

/// The sources of credentials that are asked one after the other.
fn chain(
    account: &Account,
    set: &dyn Fn(&str) -> Option<String>,
    profile: Option<&str>,
    files: EnvConfigFiles,
    provider: &ProviderConfig,
) -> Result<SharedCredentialsProvider, ObjectError> {
    let mut of_profile = ProfileFileCredentialsProvider::builder().configure(provider).profile_files(files);
    if let Some(profile) = profile {
        of_profile = of_profile.profile_name(profile);
    }
    let of_profile = of_profile.build();
    if account.profile.is_some() {
        return Ok(SharedCredentialsProvider::new(of_profile));
    }
    let mut chain =
        CredentialsProviderChain::first_try("Environment", from_environment(set)).or_else("Profile", of_profile);
    if let (Some(token), Some(role)) = (set("AWS_WEB_IDENTITY_TOKEN_FILE"), set("AWS_ROLE_ARN")) {
        let session_name = set("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| SESSION_NAME.to_owned());
        let fixed = StaticConfiguration { web_identity_token_file: token.into(), role_arn: role, session_name };
        let provider =
            WebIdentityTokenCredentialsProvider::builder().configure(provider).static_configuration(fixed).build();
        chain = chain.or_else("WebIdentityToken", provider);
    }
    chain = chain.or_else("Container", EcsCredentialsProvider::builder().configure(provider).build());
    if !set("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        let mut client = aws_config::imds::Client::builder()
            .configure(provider)
            .max_attempts(2)
            .connect_timeout(METADATA_PATIENCE)
            .read_timeout(METADATA_PATIENCE);
        if let Some(endpoint) = set("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            client = client.endpoint(&endpoint).map_err(|error| {
                ObjectError::Unavailable(format!("AWS_EC2_METADATA_SERVICE_ENDPOINT is set to `{endpoint}`: {error}"))
            })?;
        }
        let machine = ImdsCredentialsProvider::builder().configure(provider).imds_client(client.build()).build();
        chain = chain.or_else("Machine", machine);
    }
    Ok(SharedCredentialsProvider::new(chain))
}

/// The credentials that stand in the environment.
fn from_environment(set: &dyn Fn(&str) -> Option<String>) -> InEnvironment {
    InEnvironment(match (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => Some(Credentials::new(id, secret, set("AWS_SESSION_TOKEN"), None, "Environment")),
        _ => None,
    })
}

#[derive(Debug)]
struct InEnvironment(Option<Credentials>);

impl aws_credential_types::provider::ProvideCredentials for InEnvironment {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let missing = || CredentialsError::not_loaded("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set");
        future::ProvideCredentials::ready(self.0.clone().ok_or_else(missing))
    }
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

/// The endpoint for S3 that the profile names.
fn of_profile(shared: &SdkConfig) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
    let of_service = shared.service_config().and_then(|service| service.load_config(key));
    of_service.or_else(|| shared.endpoint_url().map(str::to_owned))
}
