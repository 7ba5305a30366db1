//! The first step of a request: is it one that the service would serve, and which fault does it meet?

use std::time::Instant;

use crate::answer::Answer;
use crate::fault::Fault;
use crate::listing::Listing;
use crate::request::Request;
use crate::rule::Endpoint;
use crate::service::Service;
use crate::submission::Submission;
use crate::tokens::Credentials;

const AUTHENTICATE: &str = "/authenticate/";

/// What a checked request asks for.
#[derive(Debug)]
pub(crate) enum Call {
    /// A token.
    Authenticate,
    /// Records to book.
    Submit(Vec<Submission>),
    /// A page of the books; `address` is the resource's own absolute URL.
    List { listing: Listing, address: String },
}

impl Service {
    /// Checks a request as a whole.
    ///
    /// # Errors
    /// The refusal, if the request is unknown (404, 405), too early (429), without a live token (401) or malformed (400).
    /// Then nothing changes and no fault is used up.
    pub(crate) fn admit(&mut self, request: &Request) -> Result<(Call, Fault), Answer> {
        let endpoint = self.route(request)?;
        if endpoint == Endpoint::Authenticate {
            self.authentications += 1;
        }
        if let Some(Err(wait)) = self.bucket.as_mut().map(|bucket| bucket.take(Instant::now())) {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            return Err(Answer::error(429, "Request was throttled.").with("retry-after", seconds));
        }
        let call = match endpoint {
            Endpoint::Authenticate => self.admit_credentials(request)?,
            Endpoint::Submit => self.admit_records(request)?,
            Endpoint::List => self.admit_listing(request)?,
        };
        Ok((call, self.faults.take(endpoint)))
    }

    fn route(&self, request: &Request) -> Result<Endpoint, Answer> {
        let metering = request.path == self.settings.metering_path;
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", AUTHENTICATE) => Ok(Endpoint::Authenticate),
            ("POST", _) if metering => Ok(Endpoint::Submit),
            ("GET", _) if metering => Ok(Endpoint::List),
            (_, AUTHENTICATE) => Err(Answer::error(405, "Method not allowed.").with("allow", "POST")),
            _ if metering => Err(Answer::error(405, "Method not allowed.").with("allow", "GET, POST")),
            _ => Err(Answer::error(404, "Not found.")),
        }
    }

    fn admit_credentials(&self, request: &Request) -> Result<Call, Answer> {
        check_json(request)?;
        check_no_query(request)?;
        let given: Credentials =
            serde_json::from_slice(&request.raw_body).map_err(|error| Answer::error(400, error.to_string()))?;
        if given.client_id != self.settings.client_id || given.client_secret != self.settings.client_secret {
            return Err(Answer::error(401, "Invalid client credentials."));
        }
        Ok(Call::Authenticate)
    }

    fn admit_records(&self, request: &Request) -> Result<Call, Answer> {
        self.check_token(request)?;
        check_json(request)?;
        check_no_query(request)?;
        let settings = &self.settings;
        let records = Submission::parse(&request.raw_body, self.now(), settings.quantity_digits)
            .map_err(|reason| Answer::error(400, reason))?;
        let refused = records.iter().any(|record| {
            settings.refuse_contracts.contains(&record.contract_id)
                || settings.refuse_dimensions.contains(&record.dimension)
        });
        if refused || settings.max_records.is_some_and(|most| records.len() > most) {
            return Err(Answer::error(400, "Bad request."));
        }
        Ok(Call::Submit(records))
    }

    fn admit_listing(&self, request: &Request) -> Result<Call, Answer> {
        self.check_token(request)?;
        let listing = Listing::parse(&request.query, self.settings.page_size);
        let listing = listing.map_err(|reason| Answer::error(400, reason))?;
        let host = request.header("host").ok_or_else(|| Answer::error(400, "no host header"))?;
        Ok(Call::List { listing, address: format!("http://{host}{}", request.path) })
    }

    fn check_token(&self, request: &Request) -> Result<(), Answer> {
        if self.tokens.allow(request.header("authorization"), self.now()) {
            return Ok(());
        }
        Err(unauthorized())
    }
}

/// The answer to a token that is missing, unknown or past its end.
pub(crate) fn unauthorized() -> Answer {
    Answer::error(401, "Invalid or expired token.").with("www-authenticate", "Bearer")
}

fn check_json(request: &Request) -> Result<(), Answer> {
    let given = request.header("content-type").unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Answer::error(400, format!("content-type is {given:?}, not application/json")))
}

fn check_no_query(request: &Request) -> Result<(), Answer> {
    if request.query.is_empty() {
        return Ok(());
    }
    Err(Answer::error(400, "this method takes no query"))
}
