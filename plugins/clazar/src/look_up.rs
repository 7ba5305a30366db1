//! Looks charges up: one listing a contract, and what one contract's trouble means for the others.
//!
//! | the listing of a contract | means |
//! |---|---|
//! | 401, 429, or a request that is not granted | no other would do better: the call ends here |
//! | another failure, or a page that makes no sense | nothing can be told of this contract; the others are listed |
//! | no answer, for the third time in a row | the contracts after it are not asked about |

use std::collections::BTreeMap;

use meterhost_sdk::{Answer, Charge, Failure, Finding};

use crate::config::Target;
use crate::listing::Books;
use crate::sent::Sent;
use crate::service::Trouble;

/// After so many listings in a row without any answer the rest is not asked about: each may have taken as long as a
/// request can, and a call that runs out of time loses all its answers.
const MOST_UNANSWERED: usize = 3;

/// One answer a charge, in the order of the charges; none for a contract that came after the end of the call. The
/// failure that ended it, if there is no answer at all.
pub(crate) fn answers(target: &Target, token: &str, charges: &[Charge]) -> Result<Vec<Answer>, Failure> {
    // For each contract its books, or why nothing can be told of it.
    let mut books: BTreeMap<&str, Result<Books, String>> = BTreeMap::new();
    let mut unanswered = 0;
    let mut end = None;
    for charge in charges {
        let contract = charge.customer.as_str();
        if books.contains_key(contract) {
            continue;
        }
        if unanswered == MOST_UNANSWERED {
            let why =
                format!("Clazar did not answer {unanswered} times in a row, so it was not asked about this contract");
            books.insert(contract, Err(why));
            continue;
        }
        let listed = Books::of(target, token, contract);
        unanswered = if matches!(listed, Err(Trouble::Unanswered(_))) { unanswered + 1 } else { 0 };
        match listed {
            Ok(listed) => books.insert(contract, Ok(listed)),
            Err(
                Trouble::Unanswered(why)
                | Trouble::Results(why, _)
                | Trouble::Answered(Failure::Other(why) | Failure::Refused(why)),
            ) => books.insert(contract, Err(why)),
            Err(trouble @ (Trouble::Answered(Failure::Auth(_) | Failure::Throttled(_)) | Trouble::Denied(_))) => {
                end = Some(trouble.into());
                break;
            }
        };
    }
    let answer = |charge: &Charge| {
        let finding = match books.get(charge.customer.as_str())? {
            Ok(books) => books.finding(&Sent::of(target.cloud, charge)),
            Err(why) => Finding::CannotTell(why.clone()),
        };
        Some(Answer { id: charge.id.clone(), finding })
    };
    let answers: Vec<Answer> = charges.iter().filter_map(answer).collect();
    match end {
        Some(failure) if answers.is_empty() => Err(failure),
        _ => Ok(answers),
    }
}
