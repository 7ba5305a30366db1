//! Sending one request and reading its answer, and knowing afterwards whether anything left.
//!
//! | what went wrong | what is known |
//! |---|---|
//! | the name, the connection, the TLS handshake | nothing of the request left |
//! | the gate is shut, before connecting or after | nothing of the request left |
//! | anything after a connection was there, the deadline included | it may have been heard: unanswered |
//! | the answer's body is cut short | unanswered |
//! | the answer's body is over the cap | too large |
//!
//! A deadline that strikes while a connection is still being made also counts as unanswered: the connection could have come
//! from the pool in the same instant. The shorter limit on connecting alone keeps this rare.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use reqwest::dns::Resolve;
use reqwest::{Client, Proxy, redirect, retry};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::Verifier;
use tokio::time::Instant;
use url::Url;

use super::errors::HttpError;
use super::gate::{AfterConnecting, Gate, Passage, Refused};
use super::origin::Origin;
use super::request::{Prepared, Response};
use super::resolver::{ClosedAddress, GuardedResolver, OpenResolver, Resolver};

/// An idle connection is given up before the shortest time after which servers usually close theirs (5 s). A request that
/// meets the closing would be unanswered, and an unanswered charge is a charge in doubt.
const IDLE: Duration = Duration::from_secs(4);

/// The connections of a run.
pub(super) struct Exchanges {
    limits: Limits,
    proxy: Option<Url>,
    resolver: Arc<dyn Resolver>,
    for_plugins: Clients,
    for_stores: Clients,
    /// For stores, beside the proxy.
    direct: Clients,
}

/// Built on first use: loading the system's certificates takes longer than a run with nothing to do should.
#[derive(Default)]
struct Clients {
    encrypted: OnceLock<Client>,
    /// Needs no certificates, so that plain `http` works where there are none.
    plain: OnceLock<Client>,
}

/// How a request to a store that the host itself speaks to travels.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreRoute {
    pub(super) is_https: bool,
    /// Beside the proxy.
    pub(super) is_direct: bool,
}

/// How long and how large.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The answer's body, in bytes.
    pub(super) most_body: u64,
    pub(super) connect: Duration,
    /// From the first look-up to the last byte of the answer.
    pub(super) deadline: Duration,
}

/// Who chose the name that a request goes to. Private addresses are open to the host's own names, which come from the grant and the
/// environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    ByPlugin,
    ByHost,
}

/// Why there is no answer.
pub(super) enum Failed {
    /// The name led to closed addresses only.
    Closed(ClosedAddress),
    Http(HttpError),
}

impl From<Refused> for Failed {
    fn from(Refused(why): Refused) -> Self {
        Failed::Http(HttpError::NotSent(why))
    }
}

impl Exchanges {
    pub(super) fn new(limits: Limits, proxy: Option<Url>, resolver: Arc<dyn Resolver>) -> Self {
        Exchanges {
            limits,
            proxy,
            resolver,
            for_plugins: Clients::default(),
            for_stores: Clients::default(),
            direct: Clients::default(),
        }
    }

    /// The longest that an exchange with this timeout may take.
    pub(super) fn deadline(&self, timeout: Option<Duration>) -> Duration {
        timeout.unwrap_or(self.limits.deadline).min(self.limits.deadline)
    }

    /// Sends a request that was checked, as long as the gate is open, and reads the whole answer.
    pub(super) async fn send(&self, request: Prepared, to: Named, gate: Option<Gate>) -> Result<Response, Failed> {
        let Prepared { method, url, origin, headers, body, timeout } = request;
        let client = match to {
            Named::ByPlugin => self.client(&origin),
            Named::ByHost => self.store_client(StoreRoute { is_https: origin.is_https(), is_direct: false }),
        };
        let client = client
            .map_err(|why| Failed::Http(HttpError::NotSent(format!("no request can be sent to {origin}: {why}"))))?;
        let takes_body = [Method::POST, Method::PUT, Method::PATCH].contains(&method);
        let mut builder = client.request(method, url).headers(headers);
        if !body.is_empty() {
            builder = builder.body(body);
        } else if takes_body {
            // Left out, some servers answer 411 or wait for a body.
            builder = builder.header(CONTENT_LENGTH, 0);
        }
        let request = builder.build().map_err(|error| {
            Failed::Http(HttpError::Other(format!("the request to {origin} cannot be written: {}", causes(&error))))
        })?;
        let deadline = self.deadline(timeout);
        let until = Instant::now() + deadline;
        let exchange = self.exchange(&client, request, &origin);
        let exchange = async {
            match gate {
                None => exchange.await,
                Some(gate) => Passage::new(gate, until).lead(exchange).await?,
            }
        };
        match tokio::time::timeout_at(until, exchange).await {
            Ok(result) => result,
            Err(_) => Err(Failed::Http(HttpError::Unanswered(format!(
                "{origin} gave no whole answer within {} s",
                deadline.as_secs_f64()
            )))),
        }
    }

    async fn exchange(&self, client: &Client, request: reqwest::Request, origin: &Origin) -> Result<Response, Failed> {
        let mut answer = client.execute(request).await.map_err(|error| failed(&error, origin))?;
        let most = self.limits.most_body;
        let too_large =
            || Failed::Http(HttpError::TooLarge(format!("{origin} answered with a body of more than {most} bytes")));
        if answer.content_length().is_some_and(|length| length > most) {
            return Err(too_large());
        }
        let encoding = answer.headers().get(CONTENT_ENCODING).cloned();
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if (body.len() + chunk.len()) as u64 > most => {
                    return Err(too_large());
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    return Err(Failed::Http(HttpError::Unanswered(format!(
                        "the answer of {origin} broke off after {} bytes of its body: {}",
                        body.len(),
                        causes(&error)
                    ))));
                }
            }
        }
        // Nobody asked for it, no plugin expects it, and a secret inside would go unseen.
        if let Some(encoding) = encoding.filter(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Failed::Http(HttpError::Other(format!(
                "{origin} answered with status {status} in the encoding `{}`, which was not asked for",
                String::from_utf8_lossy(encoding.as_bytes())
            ))));
        }
        Ok(Response { status, headers, body })
    }

    fn client(&self, origin: &Origin) -> Result<Client, String> {
        let resolver = || GuardedResolver {
            inner: Arc::clone(&self.resolver),
            proxy: self.proxy.as_ref().and_then(|proxy| proxy.host_str()).map(str::to_owned),
        };
        self.client_of(&self.for_plugins, origin.is_https(), self.proxy.as_ref(), resolver)
    }

    /// A client for a store whose address comes from the grant and the environment. Private addresses are open to it: a store of
    /// one's own, or an endpoint inside one's own network, is a common thing, and no plugin names either.
    pub(super) fn store_client(&self, route: StoreRoute) -> Result<Client, String> {
        let StoreRoute { is_https, is_direct } = route;
        let (clients, proxy) = if is_direct { (&self.direct, None) } else { (&self.for_stores, self.proxy.as_ref()) };
        self.client_of(clients, is_https, proxy, || OpenResolver(Arc::clone(&self.resolver)))
    }

    fn client_of<R: Resolve + 'static>(
        &self,
        clients: &Clients,
        is_https: bool,
        proxy: Option<&Url>,
        resolver: impl FnOnce() -> R,
    ) -> Result<Client, String> {
        let needs_certificates = is_https || proxy.is_some_and(|proxy| proxy.scheme() == "https");
        let slot = if needs_certificates { &clients.encrypted } else { &clients.plain };
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        let client = self.build(needs_certificates, proxy, resolver())?;
        // Another session may have been faster; all share its connections then.
        Ok(slot.get_or_init(|| client).clone())
    }

    fn build<R: Resolve + 'static>(
        &self,
        needs_certificates: bool,
        proxy: Option<&Url>,
        resolver: R,
    ) -> Result<Client, String> {
        let tls = tls(needs_certificates).map_err(|error| format!("TLS cannot be set up: {error}"))?;
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(self.limits.connect)
            .pool_idle_timeout(IDLE)
            .dns_resolver(resolver)
            .tls_backend_preconfigured(tls)
            .connector_layer(AfterConnecting)
            // Also keeps the system's proxies away.
            .no_proxy();
        let builder = match proxy {
            None => builder,
            Some(proxy) => builder.proxy(Proxy::all(proxy.clone()).map_err(|error| causes(&error))?),
        };
        builder.build().map_err(|error| causes(&error))
    }
}

/// TLS 1.2 and 1.3 by ring, with the certificates that the system trusts, so that a company's own authority works.
fn tls(needs_certificates: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    Ok(if needs_certificates {
        // "Dangerous" is any verifier of one's own; this is the one that the platform provides.
        builder.dangerous().with_custom_certificate_verifier(verifier(provider)?).with_no_client_auth()
    } else {
        builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
    })
}

fn verifier(provider: Arc<CryptoProvider>) -> Result<Arc<Verifier>, rustls::Error> {
    Verifier::new(provider).map(Arc::new)
}

/// Sorts an error by whether anything left.
fn failed(error: &reqwest::Error, origin: &Origin) -> Failed {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(closed) = current.downcast_ref::<ClosedAddress>() {
            return Failed::Closed(closed.clone());
        }
        if let Some(Refused(why)) = current.downcast_ref() {
            return Failed::Http(HttpError::NotSent(why.clone()));
        }
        cause = current.source();
    }
    let causes = causes(error);
    Failed::Http(if error.is_connect() {
        HttpError::NotSent(format!("no connection to {origin} came about: {causes}"))
    } else {
        HttpError::Unanswered(format!("{origin} gave no whole answer: {causes}"))
    })
}

/// The causes of an error, outermost first, without those that only say that there is one, or that another holds already.
fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    // The outermost text only says that there was an error, and the URL.
    let mut cause = error.source();
    while let Some(current) = cause {
        let text = current.to_string();
        let says_nothing = text.starts_with("client error (") || text == "error resolving DNS";
        if !says_nothing && !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        cause = current.source();
    }
    if texts.is_empty() { "no reason was given".to_owned() } else { texts.join(": ") }
}
