//! Writing and deleting: under a precondition or not, and what is known when no clear answer came.

use super::*;

fn refused<T>(result: Result<T, ObjectError>) -> String {
    match result.err() {
        Some(ObjectError::Precondition(text)) => text,
        other => panic!("a precondition was expected, not {other:?}"),
    }
}

fn unknown<T>(result: Result<T, ObjectError>) -> String {
    match result.err() {
        Some(ObjectError::Unknown(text)) => text,
        other => panic!("unknown was expected, not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_happens_only_under_its_precondition() {
    let open = open();
    let session = &open.session;
    let absent = Precondition::Absent;
    let first = session.put("a", b"1", "text/plain", &absent).await.unwrap();
    assert_eq!(refused(session.put("a", b"2", "", &absent).await), "\"a\" exists already");
    let second = session.put("a", b"2", "", &Precondition::Match(first.clone())).await.unwrap();
    let late = refused(session.put("a", b"3", "", &Precondition::Match(first.clone())).await);
    assert_eq!(late, "\"a\" is another version by now");
    assert_eq!(open.there("a").unwrap(), b"2");
    session.put("a", b"4", "", &Precondition::None).await.unwrap();
    let missing = refused(session.put("b", b"x", "", &Precondition::Match(second)).await);
    assert_eq!(missing, "\"b\" does not exist, but a version of it was expected");
    for odd in ["", "*", "a\", \"b", "a\r\nx: y"] {
        refused(session.put("a", b"5", "", &Precondition::Match(odd.to_owned())).await);
    }
    let other = session.put("a", b"5", "", &Precondition::Other("newer".to_owned())).await;
    assert!(matches!(other, Err(ObjectError::Other(_))), "{other:?}");
    let smuggled = session.put("a", b"5", "text/plain\r\nx-amz-acl: public-read", &Precondition::None).await;
    assert!(unavailable(smuggled).starts_with("no request can be written to write \"a\""));
    assert_eq!(open.there("a").unwrap(), b"4");
    let seen = open.proxy.requests().into_iter().next().unwrap();
    assert_eq!(seen.header("content-type"), Some("text/plain"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_writers_that_race_exactly_one_wins() {
    let open = open();
    let writers: Vec<_> = (0..8_u8)
        .map(|n| {
            let session = open.session.clone();
            tokio::spawn(async move { session.put("a", &[n], "", &Precondition::Absent).await })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(_) => won += 1,
            error => assert_eq!(refused(error), "\"a\" exists already"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_may_have_happened_is_unknown_and_is_not_tried_again_under_a_precondition() {
    let open = open();
    for act in [
        Act::DropAnswer,
        Act::internal_error(),
        Act::Drop,
        Act::error(503, "ServiceUnavailable", "later"),
        Act::Delay(Duration::from_secs(4)),
    ] {
        open.proxy.reset();
        open.fault(Fault::on(Kind::Put, act.clone()));
        let text = unknown(open.session.put("a", b"1", "", &Precondition::Absent).await);
        assert!(text.starts_with("it is not known whether \"a\" was written or deleted: "), "{text}");
        assert_eq!(open.proxy.count(Kind::Put), 1, "{act:?}");
        Moto::shared().delete(&open.bucket, "a");
    }
    // What was surely not done is tried again, and what then happens is known.
    for act in [Act::slow_down(), Act::error(409, "ConditionalRequestConflict", "conflict")] {
        open.proxy.reset();
        open.fault(Fault::on(Kind::Put, act).times(2));
        open.session.put("a", b"1", "", &Precondition::Absent).await.unwrap();
        assert_eq!(open.proxy.count(Kind::Put), 3);
        Moto::shared().delete(&open.bucket, "a");
    }
    open.fault(Fault::on(Kind::Put, Act::error(409, "ConditionalRequestConflict", "conflict")).always());
    let text = refused(open.session.put("a", b"1", "", &Precondition::Absent).await);
    assert_eq!(text, "\"a\" is being written by somebody else at the same time");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_precondition_a_write_is_tried_until_it_is_answered() {
    let open = open();
    open.fault(Fault::on(Kind::Put, Act::DropAnswer));
    open.fault(Fault::on(Kind::Put, Act::internal_error()));
    open.session.put("a", b"1", "", &Precondition::None).await.unwrap();
    assert_eq!((open.there("a").unwrap(), open.proxy.count(Kind::Put)), (b"1".to_vec(), 3));
    // Once in doubt, a refusal of another try says nothing of the first.
    open.fault(Fault::on(Kind::Put, Act::DropAnswer));
    open.fault(Fault::on(Kind::Put, Act::access_denied()));
    unknown(open.session.put("a", b"2", "", &Precondition::None).await);
    open.fault(Fault::on(Kind::Put, Act::access_denied()));
    assert!(unavailable(open.session.put("a", b"3", "", &Precondition::None).await).contains("s3:PutObject"));
    // A bounded number of times.
    open.proxy.reset();
    open.fault(Fault::on(Kind::Put, Act::slow_down()).always());
    let text = unavailable(open.session.put("a", b"3", "", &Precondition::None).await);
    assert!(text.starts_with("the store was asked too often (SlowDown: "), "{text}");
    assert_eq!(open.proxy.count(Kind::Put), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_is_done_under_its_precondition_and_twice_is_no_error() {
    let open = open();
    let session = &open.session;
    let old = open.put("a", b"1");
    let new = open.put("a", b"2");
    assert_eq!(refused(session.delete("a", &Precondition::Absent).await), "\"a\" exists already");
    assert_eq!(refused(session.delete("a", &Precondition::Match(old)).await), "\"a\" is another version by now");
    session.delete("a", &Precondition::Match(new)).await.unwrap();
    assert_eq!(open.there("a"), None);
    session.delete("a", &Precondition::None).await.unwrap();
    session.delete("a", &Precondition::Absent).await.unwrap();
    open.put("a", b"3");
    open.fault(Fault::on(Kind::Delete, Act::DropAnswer));
    session.delete("a", &Precondition::None).await.unwrap();
    let etag = open.put("a", b"4");
    open.fault(Fault::on(Kind::Delete, Act::DropAnswer));
    unknown(session.delete("a", &Precondition::Match(etag)).await);
}
