//! `GET /metering/`: filters and pages (connector definition `defs/clazar`: pages from 1, `page_size` up to 100).

use serde_json::{Value, json};

use crate::record::Record;

const LARGEST_PAGE: usize = 100;
const FILTERS: [&str; 4] = ["cloud", "contract_id", "dimension", "status"];

/// The question that a query asks.
#[derive(Debug)]
pub(crate) struct Listing {
    page: usize,
    page_size: usize,
    filters: Vec<(String, String)>,
}

impl Listing {
    /// Reads a query strictly: an unknown key, a repeated one and a value out of range are errors.
    pub(crate) fn parse(query: &str, page_size: usize) -> Result<Self, String> {
        let mut listing = Self { page: 1, page_size: page_size.clamp(1, LARGEST_PAGE), filters: Vec::new() };
        let mut seen: Vec<String> = Vec::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if seen.iter().any(|known| *known == key) {
                return Err(format!("{key}: given twice"));
            }
            seen.push(key.to_string());
            match key.as_ref() {
                "page" => listing.page = number(&key, &value, usize::MAX)?,
                "page_size" => listing.page_size = number(&key, &value, LARGEST_PAGE)?,
                "cloud" if !["aws", "azure", "gcp"].contains(&value.as_ref()) => {
                    return Err(format!("cloud: {value:?} is none of aws, azure, gcp"));
                }
                "status" if !["success", "fail"].contains(&value.as_ref()) => {
                    return Err(format!("status: {value:?} is none of success, fail"));
                }
                name if FILTERS.contains(&name) => listing.filters.push((key.to_string(), value.to_string())),
                _ => return Err(format!("{key}: unknown parameter")),
            }
        }
        Ok(listing)
    }

    /// The page asked for; `address` is the absolute URL of the resource, for the link to the next one. `None` for a page
    /// beyond the last, except the first.
    pub(crate) fn page(&self, records: &[Record], address: &str) -> Option<Value> {
        let found: Vec<&Record> = records.iter().filter(|record| self.fits(record)).collect();
        let start = (self.page - 1).saturating_mul(self.page_size);
        if start >= found.len() && self.page > 1 {
            return None;
        }
        let results: Vec<_> = found.iter().skip(start).take(self.page_size).collect();
        let next = (start + results.len() < found.len()).then(|| self.next(address));
        Some(json!({ "results": results, "next": next, "count": found.len() }))
    }

    fn fits(&self, record: &Record) -> bool {
        self.filters.iter().all(|(key, wanted)| match key.as_str() {
            "cloud" => record.cloud.name() == wanted,
            "contract_id" => record.contract_id == *wanted,
            "dimension" => record.dimension == *wanted,
            _ => record.status.name() == wanted,
        })
    }

    fn next(&self, address: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("page", &(self.page + 1).to_string());
        query.append_pair("page_size", &self.page_size.to_string());
        for (key, value) in &self.filters {
            query.append_pair(key, value);
        }
        format!("{address}?{}", query.finish())
    }
}

fn number(key: &str, text: &str, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) && !text.starts_with('+') => Ok(number),
        _ => Err(format!("{key}: {text:?} is not a number from 1 to {most}")),
    }
}
