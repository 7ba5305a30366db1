//! Looks charges up: one listing a contract, and what one contract's trouble means for the others. Where many contracts are asked about,
//! and the books of all together are shorter than that many listings, these are read instead.
//!
//! | the listing of a contract | means |
//! |---|---|
//! | 401, 429, or a request that is not granted | no other would do better: the call ends here |
//! | another failure, a page that makes no sense, or no end | nothing is told of what was not seen before; the others are listed |
//! | no answer, for the third time in a row | the contracts after it are not asked about |

use std::collections::BTreeMap;

use meterhost_sdk::{Answer, Charge, Failure, Finding};

use crate::config::Target;
use crate::listing::Listed;
use crate::sent::Sent;
use crate::service::Trouble;

/// After so many listings in a row without any answer the rest is not asked about: each may have taken as long as a
/// request can, and a call that runs out of time loses all its answers.
const MOST_UNANSWERED: usize = 3;

/// Of no more contracts than this, each is asked for by itself at once.
const FEW: usize = 4;

/// One answer a charge, in the order of the charges; none for one that was not found before the end of the call. The failure that
/// ended it, if there is no answer at all.
pub(crate) fn answers(target: &Target, token: &str, charges: &[Charge]) -> Result<Vec<Answer>, Failure> {
    // By the charge's id.
    let mut findings: BTreeMap<&str, Finding> = BTreeMap::new();
    let mut unanswered = 0;
    let mut end = None;
    let mut contracts = by_contract(charges);
    if contracts.len() > FEW {
        let sent: Vec<Sent<'_>> = charges.iter().map(|charge| Sent::of(target.cloud, charge)).collect();
        let mut listed = Listed::of_all(target, token, contracts.len(), &sent);
        let trouble = listed.trouble.take();
        // What is clear in all books is clear; whatever is not is asked for by contract.
        let is_clear = |finding: &Finding| match finding {
            Finding::Found(_) => true,
            Finding::Absent | Finding::Different(_) => trouble.is_none(),
            _ => false,
        };
        let ids = charges.iter().map(|charge| charge.id.as_str());
        findings.extend(ids.zip(listed.findings).filter(|(_, finding)| is_clear(finding)));
        if let Some(trouble) = trouble.filter(Trouble::is_everybodys) {
            contracts.clear();
            end = Some(trouble.into());
        }
    }
    for charges in contracts {
        if charges.iter().all(|charge| findings.contains_key(charge.id.as_str())) {
            continue;
        }
        let Some(contract) = charges.first().map(|charge| charge.customer.as_str()) else { continue };
        let ids = charges.iter().map(|charge| charge.id.as_str());
        if unanswered == MOST_UNANSWERED {
            let why =
                format!("Clazar did not answer {unanswered} times in a row, so it was not asked about this contract");
            findings.extend(ids.map(|id| (id, Finding::CannotTell(why.clone()))));
            continue;
        }
        let sent: Vec<Sent<'_>> = charges.iter().map(|charge| Sent::of(target.cloud, charge)).collect();
        let mut listed = Listed::of(target, token, contract, &sent);
        let trouble = listed.trouble.take();
        unanswered = if matches!(trouble, Some(Trouble::Unanswered(_))) { unanswered + 1 } else { 0 };
        match trouble {
            None => findings.extend(ids.zip(listed.findings)),
            Some(trouble) if !trouble.is_everybodys() => {
                findings.extend(ids.zip(listed.but(trouble.why())));
            }
            Some(trouble) => {
                let found = |(_, finding): &(&str, Finding)| matches!(finding, Finding::Found(_));
                findings.extend(ids.zip(listed.findings).filter(found));
                end = Some(trouble.into());
                break;
            }
        };
    }
    let answer = |charge: &Charge| {
        let finding = findings.get(charge.id.as_str())?.clone();
        Some(Answer { id: charge.id.clone(), finding })
    };
    let answers: Vec<Answer> = charges.iter().filter_map(answer).collect();
    match end {
        Some(failure) if answers.is_empty() => Err(failure),
        _ => Ok(answers),
    }
}

/// The charges of each contract, in the order in which the contracts first come.
fn by_contract(charges: &[Charge]) -> Vec<Vec<&Charge>> {
    let mut contracts: Vec<Vec<&Charge>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for charge in charges {
        let place = *places.entry(&charge.customer).or_insert(contracts.len());
        match contracts.get_mut(place) {
            Some(contract) => contract.push(charge),
            None => contracts.push(vec![charge]),
        }
    }
    contracts
}
