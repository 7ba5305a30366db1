//! Reading objects: whole, in the version that was asked for, or not at all.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_read_whole_whatever_its_size() {
    let open = open();
    for size in [0, 1, 99_999, 100_000, 5_000_000] {
        let bytes = noise(size);
        let etag = open.put("a/b.json", &bytes);
        let mut body = open.session.get("a/b.json", Some(&etag)).await.unwrap();
        assert_eq!((body.object().size, &body.object().etag), (size as u64, &etag));
        assert!(body.object().modified.is_some());
        assert!(read(&mut body).await.unwrap() == bytes, "{size}");
        assert_eq!(body.read(10).await.unwrap(), b"", "the end stays the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_keys_are_read_and_listed_as_they_are() {
    let open = Stage::new().open("gränt ed");
    let mut keys = ["a b+c%25.json", "ü/ß", "//", "/a", "a//b", "\u{1}x\t", "a&<>\"'", "..a/.b", "%2e%2e/x", "?q#f"];
    keys.sort_unstable();
    for key in keys {
        open.put(&format!("gränt ed/{key}"), key.as_bytes());
    }
    assert_eq!(open.keys("", None).await.unwrap(), keys);
    for key in keys {
        assert_eq!(open.read(key).await.unwrap(), key.as_bytes(), "{key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_than_was_asked_for_is_never_read() {
    let open = open();
    let old = open.put("a", b"old");
    let new = open.put("a", b"new");
    for wanted in [old.as_str(), "*", "", "a\", \"b", &format!("{old}\", \"{new}")] {
        let error = open.session.get("a", Some(wanted)).await.err();
        assert!(matches!(error, Some(ObjectError::Precondition(_))), "{wanted:?}: {error:?}");
    }
    let mut body = open.session.get("a", Some(&new)).await.unwrap();
    assert_eq!(read(&mut body).await.unwrap(), b"new");
    assert_eq!(open.session.get("b", None).await.err(), Some(ObjectError::NotFound("\"b\" does not exist".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_breaks_off_goes_on_where_it_was() {
    let open = open();
    let bytes = noise(3_000_000);
    open.put("a", &bytes);
    open.fault(Fault::on(Kind::Get, Act::Cut(1_000_000)));
    open.fault(Fault::on(Kind::Get, Act::Cut(0)));
    open.fault(Fault::on(Kind::Get, Act::Cut(500_000)));
    assert!(open.read("a").await.unwrap() == bytes);
    let ranges: Vec<_> = open
        .proxy
        .requests()
        .iter()
        .map(|seen| (seen.header("range").map(str::to_owned), seen.header("if-match").is_some()))
        .collect();
    assert_eq!(ranges[0], (None, false));
    assert_eq!(ranges.len(), 4);
    assert!(ranges[1..].iter().all(|(range, matched)| range.is_some() && *matched), "{ranges:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_breaks_off_is_never_read_short() {
    let open = open();
    open.put("a", &noise(300_000));
    for (act, said) in [
        (Act::Cut(1000), "\"a\" broke off after 1000 of 300000 bytes, 5 times"),
        (Act::Cut(299_999), "\"a\" broke off after "),
    ] {
        // Each range breaks off at once, so that nothing is gained.
        open.proxy.clear_faults();
        open.fault(Fault::on(Kind::Get, act));
        open.fault(Fault::on(Kind::Get, Act::Cut(0)).always());
        let text = unavailable(open.read("a").await);
        assert!(text.starts_with(said), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_falls_silent_is_given_up_and_asked_for_the_rest() {
    let open = open();
    let bytes = noise(300_000);
    open.put("a", &bytes);
    open.fault(Fault::on(Kind::Get, Act::Stall(100_000, Duration::from_secs(20))));
    assert!(open.read("a").await.unwrap() == bytes);
    assert_eq!(open.proxy.count(Kind::Get), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_changes_while_it_is_read_is_an_error() {
    let open = open();
    open.put("a", &noise(300_000));
    open.fault(Fault::on(Kind::Get, Act::Cut(1000)));
    open.fault(Fault::on(Kind::Get, Act::Overwrite(noise(400_000))));
    assert_eq!(unavailable(open.read("a").await), "\"a\" changed while it was read");
    // One that is deleted meanwhile is gone.
    open.fault(Fault::on(Kind::Get, Act::Cut(1000)));
    open.fault(Fault::on(Kind::Get, Act::error(404, "NoSuchKey", "The specified key does not exist.")));
    assert_eq!(unavailable(open.read("a").await), "\"a\" changed while it was read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_is_not_what_was_asked_for_is_an_error() {
    let open = open();
    open.put("a", &noise(300_000));
    for headers in [
        vec![("content-range".to_owned(), "bytes 0-298999/300000".to_owned())],
        vec![("etag".to_owned(), "\"another\"".to_owned())],
    ] {
        open.fault(Fault::on(Kind::Get, Act::Cut(1000)));
        open.fault(Fault::on(Kind::Get, Act::Headers(headers)));
        let text = unavailable(open.read("a").await);
        assert!(text.ends_with("the store did not send the rest of the same version"), "{text}");
    }
    // A store that knows no ranges sends all of it.
    open.fault(Fault::on(Kind::Get, Act::Cut(1000)));
    open.fault(Fault::on(Kind::Get, Act::Without("range")));
    let text = unavailable(open.read("a").await);
    assert!(text.ends_with("the store did not send the rest of the same version"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_do_not_match_the_stores_checksum_are_an_error_before_the_last_of_them() {
    let open = open();
    let bytes = noise(300_000);
    // Written with a checksum, as the SDK does.
    open.session.put("a", &bytes, "", &Precondition::None).await.unwrap();
    assert!(open.proxy.requests().iter().any(|seen| seen.header("x-amz-checksum-crc32").is_some()));
    assert!(open.read("a").await.unwrap() == bytes);
    open.fault(Fault::on(Kind::Get, Act::Corrupt));
    let text = unavailable(open.read("a").await);
    assert!(text.starts_with("\"a\" did not come as the store keeps it: "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_can_be_read_from_a_thread_without_a_runtime() {
    let open = open();
    open.put("a", b"body");
    let session = open.session.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { read(&mut session.get("a", None).await.unwrap()).await.unwrap() })
    });
    let read = tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
    assert_eq!(read, b"body");
}
