//! Pages, of reports made by hand.

mod long;
mod sample;
mod whole;

use self::sample::{charge, report, sample, window};
use super::*;
use crate::report::{Exit, LineState, Missing, Problem};
