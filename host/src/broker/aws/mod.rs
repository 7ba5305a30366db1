//! Calls of AWS services for plugins, who name service and action and hand over a body, and see no credentials.
//!
//! | file | subject |
//! |---|---|
//! | `operation` | the table of what can be called, and of what it is granted by |
//! | `resource`, `grant` | tables, indexes and products; which of them a pipeline grants |
//! | `body`, `reach`, `request` | a body, read strictly and written anew; what it reaches; both together |
//! | `endpoint` | where a service answers |
//! | `caller` | an account's way to a service: credentials that are kept until they expire, and the signature |
//! | `answer` | what came back |
//! | `patience` | how long a throttled call is repeated |
//! | `policy` | what IAM has to allow for what a pipeline grants |
//!
//! The session (`session/aws`) puts them together: check, wait for the turn, sign, send, record.

mod answer;
mod body;
mod caller;
mod endpoint;
mod grant;
mod operation;
mod patience;
mod policy;
mod reach;
mod request;
mod resource;

pub(super) use answer::{Heard, heard};
pub(super) use caller::{Caller, Callers, Unsigned};
pub(super) use grant::AwsGrants;
pub(super) use patience::Patience;
pub use policy::Policy;
pub(super) use reach::Reach;
pub(super) use request::{AwsRequest, Unfit};
