//! An account's way to a service: where it answers, with which credentials, and the signature.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::sync::OnceCell;
use url::Url;

use super::super::account::Account;
use super::super::exchange::Exchanges;
use super::super::held;
use super::super::identity::{CREDENTIALS_PATIENCE, Surroundings, no_credentials};
use super::super::origin::Origin;
use super::super::redact::Redactor;
use super::super::request::Prepared;
use super::super::secrets::Environment;
use super::endpoint::{self, Variant};
use super::operation::Service;
use super::request::AwsRequest;

/// Credentials that end sooner are not used: a request may wait as long as that for its answer.
const MARGIN: Duration = Duration::from_secs(60);

/// The ways of a run, one an account and service.
pub(in super::super) struct Callers {
    env: Environment,
    exchanges: Arc<Exchanges>,
    redactor: Redactor,
    callers: Mutex<HashMap<(Account, Service), Arc<Opening>>>,
}

/// Empty until the first session needs it.
type Opening = OnceCell<Arc<Caller>>;

impl Callers {
    /// Nothing is looked for yet.
    pub(in super::super) fn new(env: Environment, exchanges: Arc<Exchanges>, redactor: Redactor) -> Self {
        Callers { env, exchanges, redactor, callers: Mutex::default() }
    }

    /// The way of an account to a service, which all sessions share.
    ///
    /// # Errors
    /// Why there is none, for a person.
    pub(in super::super) async fn caller(&self, account: &Account, service: Service) -> Result<Arc<Caller>, String> {
        let cell = Arc::clone(held(&self.callers).entry((account.clone(), service)).or_default());
        cell.get_or_try_init(|| self.open(account, service)).await.cloned()
    }

    async fn open(&self, account: &Account, service: Service) -> Result<Arc<Caller>, String> {
        let surroundings = Surroundings::of(account, &self.env, &self.exchanges).await;
        let set = surroundings.endpoint(service.names());
        let region = surroundings.region(set.as_deref(), &format!("`{}` is to be called", service.name()))?;
        let variant = variant(&surroundings)?;
        let text = match set {
            Some(_) if variant != Variant::default() => {
                return Err(format!(
                    "an endpoint is set for `{}`, and FIPS or dual-stack endpoints are asked for as well: unset one of them",
                    service.name()
                ));
            }
            Some(text) => text,
            None => endpoint::url(service, &region, variant),
        };
        let (url, origin) = Origin::read(&text)
            .map_err(|why| format!("`{}` cannot be called at the endpoint that is set: {why}", service.name()))?;
        let provider = surroundings.credentials(&region, &self.redactor).await?;
        let account = account.clone();
        Ok(Arc::new(Caller { account, service, region, url, origin, provider, kept: tokio::sync::Mutex::default() }))
    }
}

/// Which endpoints the environment or the profile asks for.
fn variant(surroundings: &Surroundings) -> Result<Variant, String> {
    let asked = |variable: &str, of_profile: Option<bool>| match surroundings.set(variable) {
        None => Ok(of_profile.unwrap_or_default()),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(text) => Err(format!("{variable} is set to `{text}`: it is `true` or `false`")),
    };
    Ok(Variant {
        fips: asked("AWS_USE_FIPS_ENDPOINT", surroundings.shared.use_fips())?,
        dual_stack: asked("AWS_USE_DUALSTACK_ENDPOINT", surroundings.shared.use_dual_stack())?,
    })
}

/// An account's way to a service.
pub(in super::super) struct Caller {
    account: Account,
    service: Service,
    region: String,
    url: Url,
    pub(in super::super) origin: Origin,
    provider: SharedCredentialsProvider,
    /// Held while they are looked for, so that it is done once.
    kept: tokio::sync::Mutex<Option<Credentials>>,
}

/// Why a request is not signed. Nothing left.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Unsigned {
    /// There are no credentials.
    NoCredentials(String),
    /// The request cannot be written.
    Unwritable(String),
}

impl Caller {
    /// A request in the form in which it is sent, and whose it is. It is signed with the time of now, and sent at once.
    pub(in super::super) async fn signed(&self, request: &AwsRequest) -> Result<(Prepared, Credentials), Unsigned> {
        let credentials = self.credentials().await.map_err(|error| {
            Unsigned::NoCredentials(no_credentials(&self.account, &format!("to call {}", request.name()), &error))
        })?;
        let headers = self.headers(request, &credentials).map_err(|why| {
            Unsigned::Unwritable(format!("the request for {} cannot be signed: {why}", request.name()))
        })?;
        let prepared = Prepared {
            method: Method::POST,
            url: self.url.clone(),
            origin: self.origin.clone(),
            headers,
            body: request.body.clone().into_bytes(),
            timeout: None,
        };
        Ok((prepared, credentials))
    }

    /// Forgets credentials that the service does not take, so that the next request has others, if there are others.
    pub(in super::super) async fn forget(&self, refused: &Credentials) {
        self.kept.lock().await.take_if(|kept| kept.access_key_id() == refused.access_key_id());
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut kept = self.kept.lock().await;
        let until = SystemTime::now() + MARGIN;
        if let Some(credentials) = kept.as_ref().filter(|kept| kept.expiry().is_none_or(|expiry| expiry > until)) {
            return Ok(credentials.clone());
        }
        let found = tokio::time::timeout(CREDENTIALS_PATIENCE, self.provider.provide_credentials()).await;
        let found = found.map_err(|_| CredentialsError::provider_timed_out(CREDENTIALS_PATIENCE))??;
        Ok(kept.insert(found).clone())
    }

    fn headers(&self, request: &AwsRequest, credentials: &Credentials) -> Result<HeaderMap, String> {
        let (target, content_type) = self.service.protocol();
        let target = format!("{target}.{}", request.operation.name);
        let own = [("content-type", content_type), ("x-amz-target", target.as_str())];
        let identity = credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service.name())
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let body = SignableBody::Bytes(request.body.as_bytes());
        let signable = SignableRequest::new("POST", self.url.as_str(), own.into_iter(), body)
            .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("meterhost/", env!("CARGO_PKG_VERSION"))));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        for (name, value) in own.into_iter().skip(1).chain(instructions.headers()) {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            let mut value = HeaderValue::from_str(value).map_err(|error| format!("the header `{name}`: {error}"))?;
            value.set_sensitive(name != "x-amz-target" && name != "x-amz-date");
            headers.insert(name, value);
        }
        Ok(headers)
    }
}
