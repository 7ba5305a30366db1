//! Stands in for the host where a plugin's logic is tested natively: a folder as the bucket, a function as the network.
//!
//! What is put on the stage holds for the current thread.
//!
//! ```
//! use meterhost_sdk::{http, testing};
//!
//! testing::answer(|request| {
//!     assert_eq!(request.url, "https://api.example.com/ping");
//!     Ok(http::Response { status: 200, headers: vec![], body: b"pong".to_vec() })
//! });
//! let request = http::Request {
//!     method: "GET".into(),
//!     url: "https://api.example.com/ping".into(),
//!     headers: vec![],
//!     body: vec![],
//!     timeout: None,
//! };
//! assert_eq!(http::send(&request).unwrap().body, b"pong");
//! ```

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use crate::http::{Request, Response};

/// What answers the requests of a plugin under test.
type Network = Rc<RefCell<dyn FnMut(&Request) -> Result<Response, crate::http::Error>>>;
/// What answers its calls to AWS: service, action, body.
type Services = Rc<RefCell<dyn FnMut(&str, &str, &str) -> Result<String, crate::aws::Error>>>;

thread_local! {
    static FOLDER: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
    static NETWORK: RefCell<Option<Network>> = const { RefCell::new(None) };
    static SERVICES: RefCell<Option<Services>> = const { RefCell::new(None) };
}

/// From here on, this folder is what `read` and `write` are granted on.
pub fn folder(path: impl Into<PathBuf>) {
    let path = path.into();
    FOLDER.with_borrow_mut(|folder| *folder = Some(path));
}

/// From here on, this function answers every request. Secrets come as `{name}` in it, instead of random marks.
pub fn answer(network: impl FnMut(&Request) -> Result<Response, crate::http::Error> + 'static) {
    NETWORK.with_borrow_mut(|place| *place = Some(Rc::new(RefCell::new(network))));
}

/// From here on, this function answers every call to AWS: it is given the service, the action and the body.
pub fn aws(services: impl FnMut(&str, &str, &str) -> Result<String, crate::aws::Error> + 'static) {
    SERVICES.with_borrow_mut(|place| *place = Some(Rc::new(RefCell::new(services))));
}

/// A record of a test: customer, dimension, quantity, time in milliseconds, attributes.
pub type TestRecord<'a> = (&'a str, &'a str, &'a str, i64, &'a [(&'a str, &'a str)]);

/// A record of a test with all that a record can have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage<'a> {
    /// When the usage happened, in milliseconds, UTC.
    pub time: i64,
    /// Who used it.
    pub customer: &'a str,
    /// What was used; empty where the pipeline meters one product.
    pub product: &'a str,
    /// What was measured.
    pub dimension: &'a str,
    /// How much, as a decimal is written.
    pub quantity: &'a str,
    /// The record's own id.
    pub id: Option<&'a str>,
    /// Names and values.
    pub attributes: &'a [(&'a str, &'a str)],
}

/// A batch of records, for pushing into an aggregator under test.
///
/// # Panics
///
/// As [`usage`].
pub fn batch(records: &[TestRecord<'_>]) -> crate::Batch {
    let full = |&(customer, dimension, quantity, time, attributes)| Usage {
        time,
        customer,
        dimension,
        quantity,
        attributes,
        ..Usage::default()
    };
    usage(&records.iter().map(full).collect::<Vec<_>>())
}

/// A batch of records that may have products and ids.
///
/// # Panics
///
/// If a quantity is no decimal, a customer or a dimension is empty, or all is too much for one batch.
pub fn usage(records: &[Usage<'_>]) -> crate::Batch {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in records.iter().flat_map(|record| record.attributes) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut builder = crate::BatchBuilder::new(names.iter().copied()).with_rows(records.len().max(1));
    for &Usage { time, customer, product, dimension, quantity, id, attributes } in records {
        let values: Vec<Option<&str>> = names
            .iter()
            .map(|name| attributes.iter().find(|(given, _)| given == name).map(|&(_, value)| value))
            .collect();
        let values = values.as_slice();
        #[expect(clippy::panic, reason = "a test that is written wrong has to stop")]
        let quantity = crate::Decimal::parse(quantity).unwrap_or_else(|error| panic!("{quantity}: {error}"));
        let record = crate::Record { time, customer, product, dimension, quantity, id, attributes: values };
        #[expect(clippy::panic, reason = "a test that is written wrong has to stop")]
        builder.push(&record).unwrap_or_else(|error| panic!("{record:?}: {error}"));
    }
    builder.finish()
}

/// A charge of a test with all that a charge can have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Charged<'a> {
    /// The first instant of its window, in milliseconds, UTC.
    pub start: i64,
    /// The first instant behind it.
    pub end: i64,
    /// Its id.
    pub id: u128,
    /// What was used; empty where the pipeline meters one product.
    pub product: &'a str,
    /// Who used it.
    pub customer: &'a str,
    /// What is charged for.
    pub dimension: &'a str,
    /// How much, as a decimal is written.
    pub quantity: &'a str,
    /// Names and values.
    pub tags: &'a [(&'a str, &'a str)],
    /// Names and values.
    pub attributes: &'a [(&'a str, &'a str)],
}

/// A batch of charges, for publishing by a snapshot sink under test.
///
/// # Panics
///
/// If a quantity is no decimal, or the quantities have no common scale within 38 digits.
pub fn charges(charges: &[Charged<'_>]) -> crate::ChargeBatch {
    use crate::bindings::imports::types::AttributeColumn;
    use crate::bindings::snapshot::snapshot_sink::Charges;
    use crate::builder::QuantityBuilder;
    use crate::intern::TextBuilder;

    let text = |of: &dyn Fn(&Charged<'_>) -> Option<String>| {
        let mut column = TextBuilder::default();
        charges.iter().for_each(|charge| column.push(of(charge).as_deref()));
        column.take()
    };
    let named = |of: fn(&Charged<'_>) -> Vec<(String, String)>| -> Vec<AttributeColumn> {
        let names: std::collections::BTreeSet<String> = charges.iter().flat_map(of).map(|(name, _)| name).collect();
        let column = |name: String| {
            let held = |charge: &Charged<'_>| of(charge).into_iter().find(|(found, _)| *found == name);
            AttributeColumn { column: text(&|charge| held(charge).map(|(_, value)| value)), name }
        };
        names.into_iter().map(column).collect()
    };
    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
    let mut quantities = QuantityBuilder::default();
    for charge in charges {
        #[expect(clippy::panic, reason = "a test that is written wrong has to stop")]
        let quantity = crate::Decimal::parse(charge.quantity).unwrap_or_else(|error| panic!("{charge:?}: {error}"));
        #[expect(clippy::panic, reason = "a test that is written wrong has to stop")]
        quantities.push(quantity).unwrap_or_else(|error| panic!("{charge:?}: {error}"));
    }
    let batch = Charges {
        rows: charges.len() as u32,
        start: charges.iter().map(|charge| charge.start).collect(),
        end: charges.iter().map(|charge| charge.end).collect(),
        id_high: charges.iter().map(|charge| (charge.id >> 64) as u64).collect(),
        id_low: charges.iter().map(|charge| charge.id as u64).collect(),
        product: text(&|charge| Some(charge.product.to_owned()).filter(|product| !product.is_empty())),
        customer: text(&|charge| Some(charge.customer.to_owned())),
        dimension: text(&|charge| Some(charge.dimension.to_owned())),
        quantity: quantities.take(),
        tags: named(|charge| owned(charge.tags)),
        attributes: named(|charge| owned(charge.attributes)),
    };
    #[expect(clippy::panic, reason = "what is built here fits")]
    crate::ChargeBatch::try_from(batch).unwrap_or_else(|error| panic!("{error}"))
}

/// The bucket of a plugin under test.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod objects {
    use std::fs::{self, File};
    use std::io::{ErrorKind, Read};
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};

    use super::FOLDER;
    use crate::objects::{Error, Object, Precondition};

    pub(crate) struct Listing(Option<Vec<Object>>);

    pub(crate) struct Body {
        object: Object,
        file: File,
    }

    pub(crate) struct Upload {
        key: String,
        bytes: Vec<u8>,
    }

    pub(crate) fn list(prefix: &str, start_after: Option<&str>) -> Result<Listing, Error> {
        let root = root()?;
        // Only the folder that the prefix surely leads to is walked.
        let parent = prefix.rsplit_once('/').map_or("", |(parent, _)| parent);
        let mut objects = Vec::new();
        // A prefix that leads nowhere holds nothing; the granted folder itself has to be there.
        fs::read_dir(&root).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::Unavailable(format!("the granted folder {} does not exist", root.display())),
            _ => failed(error),
        })?;
        walk(&root, &root.join(parent), &mut objects)?;
        objects.retain(|object| object.key.starts_with(prefix) && start_after.is_none_or(|after| &*object.key > after));
        objects.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        Ok(Listing((!objects.is_empty()).then_some(objects)))
    }

    fn walk(root: &Path, folder: &Path, objects: &mut Vec<Object>) -> Result<(), Error> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                walk(root, &path, objects)?;
            } else if let Some(key) = path.strip_prefix(root).ok().and_then(Path::to_str) {
                objects.push(object(key, &path)?);
            }
        }
        Ok(())
    }

    fn object(key: &str, path: &Path) -> Result<Object, Error> {
        let meta = fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::NotFound(format!("{key}: there is no such object")),
            _ => failed(error),
        })?;
        let etag = format!("{:x}-{:x}-{:x}", meta.len(), meta.mtime(), meta.mtime_nsec());
        Ok(Object { key: key.to_owned(), etag, size: meta.len(), modified: Some(meta.mtime() * 1000) })
    }

    pub(crate) fn get(key: &str, etag: Option<&str>) -> Result<Body, Error> {
        let path = root()?.join(key);
        let object = object(key, &path)?;
        if etag.is_some_and(|etag| etag != object.etag) {
            return Err(Error::Precondition(format!("{key} is another version by now")));
        }
        Ok(Body { object, file: File::open(path).map_err(failed)? })
    }

    pub(crate) fn prefetch(_keys: &[String]) {}

    pub(crate) fn put(
        key: &str,
        bytes: &[u8],
        _content_type: &str,
        precondition: &Precondition,
    ) -> Result<String, Error> {
        let path = root()?.join(key);
        let now = object(key, &path).ok().map(|object| object.etag);
        let holds = match precondition {
            Precondition::None => true,
            Precondition::Absent => now.is_none(),
            Precondition::Match(etag) => now.as_ref() == Some(etag),
            Precondition::Other(text) => return Err(Error::Other(format!("no such precondition: {text}"))),
        };
        if !holds {
            return Err(Error::Precondition(format!("{key}: the precondition does not hold")));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(&path, bytes).map_err(failed)?;
        Ok(object(key, &path)?.etag)
    }

    pub(crate) fn begin_upload(key: &str, _content_type: &str) -> Result<Upload, Error> {
        Ok(Upload { key: key.to_owned(), bytes: Vec::new() })
    }

    pub(crate) fn delete(key: &str, _precondition: &Precondition) -> Result<(), Error> {
        match fs::remove_file(root()?.join(key)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    impl Listing {
        pub(crate) fn next(&mut self) -> Result<Option<Vec<Object>>, Error> {
            Ok(self.0.take())
        }
    }

    impl Body {
        pub(crate) fn object(&self) -> Object {
            self.object.clone()
        }

        pub(crate) fn read(&mut self, max: u32) -> Result<Vec<u8>, Error> {
            let mut bytes = vec![0; max as usize];
            let read = self.file.read(&mut bytes).map_err(failed)?;
            bytes.truncate(read);
            Ok(bytes)
        }
    }

    impl Upload {
        pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
            self.bytes.extend_from_slice(bytes);
            Ok(())
        }

        pub(crate) fn commit(self, precondition: &Precondition) -> Result<String, Error> {
            put(&self.key, &self.bytes, "", precondition)
        }
    }

    fn root() -> Result<PathBuf, Error> {
        FOLDER
            .with_borrow(Clone::clone)
            .ok_or_else(|| Error::Denied("no folder is on the stage: call testing::folder first".into()))
    }

    fn failed(error: std::io::Error) -> Error {
        Error::Unavailable(error.to_string())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_folder_that_is_missing_is_an_error_as_on_the_host_and_a_prefix_that_is_missing_is_none() {
            let folder = std::env::temp_dir().join(format!("meterhost-sdk-{}", std::process::id()));
            crate::testing::folder(&folder);
            let missing = format!("the granted folder {} does not exist", folder.display());
            assert_eq!(list("a/b", None).map(|_| ()), Err(Error::Unavailable(missing)));
            let made = fs::create_dir(&folder);
            let empty = list("a/b", None).and_then(|mut listing| listing.next());
            let gone = fs::remove_dir(&folder);
            assert_eq!((made.is_ok(), empty, gone.is_ok()), (true, Ok(None), true));
        }
    }
}

/// The network of a plugin under test.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod http {
    use super::NETWORK;
    use crate::http::{Encoding, Error, Request, Response};

    pub(crate) fn send(request: &Request) -> Result<Response, Error> {
        let network = NETWORK.with_borrow(Clone::clone);
        let Some(network) = network else {
            return Err(Error::Denied("no network is on the stage: call testing::answer first".into()));
        };
        (network.borrow_mut())(request)
    }

    pub(crate) fn secret(name: &str, _encoding: Encoding) -> Result<String, Error> {
        Ok(format!("{{{name}}}"))
    }

    pub(crate) fn conceal(_value: &str) {}
}

/// The services of AWS of a plugin under test.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod aws_calls {
    use super::SERVICES;
    use crate::aws::Error;

    pub(crate) fn call(service: &str, action: &str, body: &str) -> Result<String, Error> {
        let services = SERVICES.with_borrow(Clone::clone);
        let Some(services) = services else {
            return Err(Error::Denied("no service is on the stage: call testing::aws first".into()));
        };
        (services.borrow_mut())(service, action, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_of_a_test_come_back_as_they_went_in() {
        let one =
            Charged { end: 5, id: 7 << 64 | 9, customer: "a", dimension: "cpu", quantity: "1.5", ..Charged::default() };
        let other = Charged { product: "p", quantity: "-2", tags: &[("t", "u")], attributes: &[("k", "v")], ..one };
        let batch = charges(&[one, other]);
        let rows: Vec<_> =
            batch.rows().map(|row| (row.product, row.quantity.to_string(), row.tag("t"), row.attribute("k"))).collect();
        assert_eq!(rows, [("", "1.5".to_owned(), None, None), ("p", "-2".to_owned(), Some("u"), Some("v"))]);
        assert_eq!(
            batch.row(0).map(|row| (row.id(), row.window)),
            Some(("00000000000000070000000000000009".to_owned(), crate::Window { start: 0, end: 5 }))
        );
        assert!(batch.row(2).is_none());
    }

    #[test]
    fn usage_of_a_test_may_have_a_product_and_an_id() {
        let one = Usage { customer: "a", dimension: "cpu", quantity: "1", ..Usage::default() };
        let batch = usage(&[one, Usage { product: "p", id: Some("7"), attributes: &[("k", "v")], ..one }]);
        let rows: Vec<_> = batch.rows().map(|row| (row.product, row.id(), row.attribute("k"))).collect();
        assert_eq!(rows, [("", None, None), ("p", Some("7"), Some("v"))]);
    }
}
