//! The AWS SDK's requests, sent by the same HTTP client as everybody else's: one TLS stack, one set of trusted certificates, one
//! proxy, no redirects.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use url::{Host, Url};

use super::super::exchange::{Exchanges, StoreRoute};

/// A slow line still carries this many bytes of a request's body a second.
const SLOWEST: u64 = 128 * 1024;

/// The requests of an AWS client.
#[derive(Clone)]
pub(in super::super) struct Transport {
    pub(super) exchanges: Arc<Exchanges>,
    /// Whether they look for credentials: then the machine's own addresses are reached beside the proxy, which has no way there.
    pub(super) for_credentials: bool,
}

/// Nothing of a request left.
#[derive(Debug)]
pub(in super::super) struct NotConnected(String);

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection came about: {}", self.0)
    }
}

impl Error for NotConnected {}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl HttpClient for Transport {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        // Only those who look for credentials set it: the metadata service answers at once, or is not there.
        let patience = settings.read_timeout().map(|read| read + settings.connect_timeout().unwrap_or_default());
        SharedHttpConnector::new(Connector { transport: self.clone(), patience })
    }
}

#[derive(Debug)]
struct Connector {
    transport: Transport,
    patience: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (transport, patience) = (self.transport.clone(), self.patience);
        HttpConnectorFuture::new(async move {
            let length = request.body().content_length().unwrap_or_default();
            let patience =
                patience.unwrap_or_else(|| transport.exchanges.deadline(None) + Duration::from_secs(length / SLOWEST));
            match tokio::time::timeout(patience, transport.send(request)).await {
                Ok(result) => result,
                Err(_) => {
                    let text = format!("no answer came within {} s", patience.as_secs_f64());
                    Err(ConnectorError::timeout(text.into()))
                }
            }
        })
    }
}

impl Transport {
    /// Sends a request, and reads the head of the answer.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let asked = request.uri().to_owned();
        let url = Url::parse(&asked).map_err(|error| ConnectorError::user(error.into()))?;
        // What the URL's rules would change on the way (`.` and `..`) is another object than was signed.
        if url.as_str() != asked {
            return Err(ConnectorError::user(format!("`{asked}` cannot be written as a URL without a change").into()));
        }
        let client = self
            .exchanges
            .store_client(self.route(&url))
            .map_err(|why| ConnectorError::io(NotConnected(why).into()).never_connected())?;
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (head, body) = request.into_parts();
        let body = match body.bytes() {
            Some(bytes) => reqwest::Body::from(bytes.to_vec()),
            None => reqwest::Body::wrap(body),
        };
        let request = client.request(head.method, url).headers(head.headers).body(body).build();
        let request = request.map_err(|error| ConnectorError::user(error.into()))?;
        let answer = client.execute(request).await.map_err(failed)?;
        let answer = http::Response::from(answer).map(SdkBody::from_body_1_x);
        HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
    }

    fn route(&self, url: &Url) -> StoreRoute {
        let is_near = match url.host() {
            Some(Host::Ipv4(address)) => is_near(address.into()),
            Some(Host::Ipv6(address)) => is_near(address.into()),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        StoreRoute { is_https: url.scheme() == "https", is_direct: self.for_credentials && is_near }
    }
}

/// Whether an address is this machine's, or one of those at which clouds hand out a machine's credentials.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unicast_link_local()
                // AWS: the metadata service, and the agents of ECS and EKS.
                || matches!(address.segments(), [0xfd00, 0xec2, ..])
        }
    }
}

fn failed(error: reqwest::Error) -> ConnectorError {
    if error.is_connect() {
        ConnectorError::io(NotConnected(causes(&error)).into()).never_connected()
    } else if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

/// The causes of an error, outermost first, without those that another repeats.
pub(in super::super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(current) = cause {
        // Some are lists of several lines.
        let text = current.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let says_nothing = text.starts_with("client error (")
            || text.starts_with("error sending request for url")
            || [
                "error resolving DNS",
                "an error occurred while loading credentials",
                "dispatch failure",
                "io error",
                "other",
                "service error",
            ]
            .contains(&text.as_str());
        if !says_nothing && !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        cause = current.source();
    }
    if texts.is_empty() { "no reason was given".to_owned() } else { texts.join(": ") }
}
