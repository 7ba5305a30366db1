//! The first step of a request: is it one that the service would serve?

use emulator_http::{Body, Received};
use jiff::{SignedDuration, Timestamp};

use crate::refusal::{MEDIA_TYPE, Refusal, THROTTLING};
use crate::rules::Usage;
use crate::service::Service;
use crate::shape::Sent;
use crate::signature::Verifier;
use crate::window;

const PREFIX: &str = "AWSMPMeteringService.";
const OPERATION: &str = "BatchMeterUsage";

impl Service {
    /// Checks a request as a whole, in the order of the framework beneath the service: route, signature, rate, shape,
    /// and then what the service itself knows. In which order it looks at that is not known.
    ///
    /// # Errors
    /// The refusal. Then nothing changes and no fault is used up.
    pub(crate) fn admit(&mut self, request: &Received) -> Result<Vec<Usage>, Refusal> {
        check_route(request)?;
        let settings = &self.settings;
        if request.body == Body::TooLarge || request.bytes().len() >= settings.body_limit {
            let message = format!("a request is less than {} bytes", settings.body_limit);
            return Err(Refusal::new("RequestEntityTooLargeException", message).status(413));
        }
        let skew = SignedDuration::from_secs(i64::from(settings.clock_skew));
        let (keys, region) = (self.keys.as_slice(), settings.region.as_str());
        Verifier { keys, region, skew, now: Timestamp::now() }.verify(request)?;
        if settings.enforce_rate && !self.rate.lets_pass(request.at, settings.rate_limit) {
            return Err(Refusal::new(THROTTLING, "Rate exceeded"));
        }
        if settings.disabled {
            return Err(Refusal::new("DisabledApiException", "The API is disabled in the Region."));
        }
        let records = Usage::read(Sent::read(&request.bytes())?)?;
        settings.check(&records)?;
        let now = self.clock.now();
        match records.iter().find_map(|record| window::refusal(record.timestamp, now)) {
            Some(message) => Err(Refusal::new("TimestampOutOfBoundsException", message)),
            None => Ok(records),
        }
    }
}

fn check_route(request: &Received) -> Result<(), Refusal> {
    let unknown = |message: String| Refusal::new("UnknownOperationException", message);
    let media_type = request.header("content-type").unwrap_or_default();
    let is_root = request.path == "/" && request.query.is_empty();
    if request.method != "POST" || !is_root || media_type != MEDIA_TYPE {
        return Err(unknown(format!("this is not a POST of {MEDIA_TYPE} to /")).status(404));
    }
    let target = request.header("x-amz-target").unwrap_or_default();
    if target.strip_prefix(PREFIX) == Some(OPERATION) {
        return Ok(());
    }
    Err(unknown(format!("X-Amz-Target is {target:?}, not {PREFIX}{OPERATION}")))
}
