//! Listing: every key once, in order, or an error.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_listing_comes_page_by_page_in_byte_order() {
    let open = Stage::new().open("below");
    let mut keys: Vec<String> = (0..1100).map(|n| format!("{:02}/{n}", n % 40)).collect();
    keys.extend(["ä", "Z", "a-b", "a.b", "a/b", "~"].map(str::to_owned));
    keys.sort_unstable();
    for key in &keys {
        open.put(&format!("below/{key}"), b"x");
    }
    for outside in ["a", "belo", "below", "below0", "below.", "belowx/y"] {
        open.put(outside, b"x");
    }
    assert_eq!(open.keys("", None).await.unwrap(), keys);
    assert_eq!(open.proxy.count(Kind::List), 2);

    open.fault(Fault::on(Kind::List, Act::MaxKeys(50)).always());
    open.proxy.reset();
    assert_eq!(open.keys("", None).await.unwrap(), keys);
    assert_eq!(open.proxy.count(Kind::List), keys.len().div_ceil(50));

    let expected: Vec<_> = keys.iter().filter(|key| key.starts_with("1") && key.as_str() > "15/9").cloned().collect();
    assert_eq!(open.keys("1", Some("15/9")).await.unwrap(), expected);
    assert_eq!(open.keys("a", None).await.unwrap(), ["a-b", "a.b", "a/b"]);
    assert_eq!(open.keys("nothing", None).await.unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_page_comes_while_the_plugin_works() {
    let open = open();
    for key in ["a", "b", "c"] {
        open.put(key, b"x");
    }
    open.fault(Fault::on(Kind::List, Act::MaxKeys(1)).always());
    let mut listing = open.session.list("", None).await.unwrap();
    listing.next().await.unwrap().unwrap();
    for _ in 0..200 {
        if open.proxy.count(Kind::List) == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(open.proxy.count(Kind::List), 2, "the second was asked for, and no third");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_the_same_in_a_listing_in_an_answer_and_after_a_write() {
    let open = open();
    let written = open.session.put("a", b"body", "", &Precondition::Absent).await.unwrap();
    let page = open.session.list("", None).await.unwrap().next().await.unwrap().unwrap();
    let listed = &page[0];
    assert_eq!((listed.key.as_str(), listed.size, listed.modified.is_some()), ("a", 4, true));
    let read = open.session.get("a", Some(&listed.etag)).await.unwrap();
    assert_eq!([&read.object().etag, &listed.etag], [&written; 2]);
    open.session.put("a", b"more", "", &Precondition::Match(listed.etag.clone())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_the_console_is_no_object_and_anything_more_is_an_error() {
    let open = Stage::new().open("below");
    open.put("below/", b"");
    open.put("below/a/", b"");
    open.put("below/a/b", b"x");
    assert_eq!(open.keys("", None).await.unwrap(), ["a/", "a/b"]);
    open.put("below/", b"usage");
    let text = unavailable(open.keys("", None).await);
    assert!(text.contains("an object whose key is the granted prefix itself (\"below/\")"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_cannot_be_trusted_is_an_error_and_stays_one() {
    let page = |keys: &[&str], more: &str| {
        let entries: String = keys
            .iter()
            .map(|key| format!("<Contents><Key>{key}</Key><ETag>\"x\"</ETag><Size>1</Size></Contents>"))
            .collect();
        let body = format!(
            "<?xml version=\"1.0\"?><ListBucketResult><EncodingType>url</EncodingType>{entries}{more}</ListBucketResult>"
        );
        Act::Answer { status: 200, headers: Vec::new(), body }
    };
    let end = "<IsTruncated>false</IsTruncated>";
    let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
    for (pages, said) in [
        (vec![page(&["b", "a"], end)], "is not in ascending order (\"a\" comes after \"b\")"),
        (vec![page(&["a", "a"], end)], "is not in ascending order (\"a\" comes after \"a\")"),
        (vec![page(&["b"], more), page(&["a"], end)], "is not in ascending order"),
        (vec![page(&["a"], more), page(&["b"], more)], "goes in circles"),
        (vec![page(&[], more), page(&[], more)], "goes in circles"),
        (vec![page(&["a"], "<IsTruncated>true</IsTruncated>")], "breaks off"),
        (vec![page(&["%FF"], end)], "which is not UTF-8"),
        (
            vec![Act::Answer { status: 200, headers: Vec::new(), body: "<ListBucketResult><Con".to_owned() }],
            "no whole answer",
        ),
    ] {
        let open = open();
        for act in pages {
            open.fault(Fault::on(Kind::List, act));
        }
        let mut listing = open.session.list("", None).await.unwrap();
        let error = loop {
            match listing.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended well, and {said} was expected"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(listing.next().await, Err(error));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spaces_and_pluses_are_told_apart_however_the_store_writes_them() {
    let open = open();
    let body = "<?xml version=\"1.0\"?><ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a+b%2Bc%20d</Key><ETag>x</ETag><Size>1</Size></Contents></ListBucketResult>";
    open.fault(Fault::on(Kind::List, Act::Answer { status: 200, headers: Vec::new(), body: body.to_owned() }));
    assert_eq!(open.keys("", None).await.unwrap(), ["a b+c d"]);
    // One that does not encode writes the key itself.
    let body = body.replace("<EncodingType>url</EncodingType>", "");
    open.fault(Fault::on(Kind::List, Act::Answer { status: 200, headers: Vec::new(), body }));
    assert_eq!(open.keys("", None).await.unwrap(), ["a+b%2Bc%20d"]);
}
