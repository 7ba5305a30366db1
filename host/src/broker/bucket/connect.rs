//! From an account to a client of S3.
//!
//! Credentials, region and endpoint are those of [`identity`](super::super::identity). With an endpoint that somebody set, the bucket
//! stands in the path.

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Region, StalledStreamProtectionConfig};

use super::super::account::Account;
use super::super::errors::ObjectError;
use super::super::identity::{CREDENTIALS_PATIENCE, ServiceNames, Surroundings};
use super::Buckets;

const S3: ServiceNames = ServiceNames { id: "S3", endpoint: "AWS_ENDPOINT_URL_S3" };

/// Sets up a client. Nothing is sent yet: credentials are looked for when the first request needs them.
pub(super) async fn connect(account: &Account, buckets: &Buckets) -> Result<Client, ObjectError> {
    let Buckets { env, exchanges, redactor, limits, .. } = buckets;
    let surroundings = Surroundings::of(account, env, exchanges).await;
    let endpoint = surroundings.endpoint(S3);
    let region = surroundings.region(endpoint.as_deref(), "the bucket lies").map_err(ObjectError::Unavailable)?;
    let credentials = surroundings.credentials(&region, redactor).await.map_err(ObjectError::Unavailable)?;
    let retry = RetryConfig::standard().with_max_attempts(limits.attempts).with_initial_backoff(limits.backoff);
    let mut builder = aws_sdk_s3::config::Builder::from(&surroundings.shared)
        .region(Region::new(region))
        .credentials_provider(credentials)
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS_PATIENCE).build())
        .http_client(surroundings.transport())
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
