//! Large objects: whole or not at all.

use super::*;

fn in_small_parts() -> Open {
    let mut stage = Stage::new();
    // moto holds parts to the size that S3 asks for, except the last.
    stage.settings.buckets.part_bytes = 5 * 1024 * 1024;
    stage.open("")
}

async fn uploads(open: &Open) -> Vec<String> {
    // Breaking off is done behind the back of whoever dropped it.
    for _ in 0..200 {
        let uploads = Moto::shared().uploads(&open.bucket);
        if uploads.is_empty() {
            return uploads;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Moto::shared().uploads(&open.bucket)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_goes_in_parts_and_a_small_one_at_once() {
    let open = in_small_parts();
    for (size, parts) in [(0, 0), (1000, 0), (5 * 1024 * 1024, 1), (12_000_000, 3)] {
        open.proxy.reset();
        let bytes = noise(size);
        let mut upload = open.session.upload("a", "text/plain").await.unwrap();
        for piece in bytes.chunks(700_000) {
            upload.write(piece).await.unwrap();
        }
        let etag = upload.commit(&Precondition::None).await.unwrap();
        assert!(open.there("a").unwrap() == bytes, "{size}");
        assert_eq!(open.session.get("a", Some(&etag)).await.unwrap().object().size, size as u64);
        let count = |kind| open.proxy.count(kind);
        let whole = usize::from(parts == 0);
        assert_eq!((count(Kind::Put), count(Kind::UploadPart), count(Kind::CompleteUpload)), (whole, parts, 1 - whole));
        let over = upload.commit(&Precondition::None).await;
        assert!(matches!(over, Err(ObjectError::Other(_))), "{over:?}");
        assert!(upload.write(b"x").await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_precondition_holds_when_a_large_object_becomes_visible() {
    let open = in_small_parts();
    let begin = async || {
        let mut upload = open.session.upload("a", "").await.unwrap();
        upload.write(&noise(6_000_000)).await.unwrap();
        upload
    };
    let mut upload = begin().await;
    open.put("a", b"somebody else");
    let error = upload.commit(&Precondition::Absent).await.err();
    assert_eq!(error, Some(ObjectError::Precondition("\"a\" exists already".to_owned())));
    assert_eq!(open.there("a").unwrap(), b"somebody else");
    drop(upload);
    assert_eq!(uploads(&open).await, [""; 0]);

    let mut upload = begin().await;
    open.fault(Fault::on(Kind::CompleteUpload, Act::DropAnswer));
    let error = upload.commit(&Precondition::None).await.err();
    // moto no longer knows an upload that it completed, and says so to the second try.
    assert!(matches!(error, None | Some(ObjectError::Unknown(_))), "{error:?}");
    let mut upload = begin().await;
    open.fault(Fault::on(Kind::CompleteUpload, Act::internal_error()));
    let etag = "0123456789abcdef".to_owned();
    let error = upload.commit(&Precondition::Match(etag)).await.err();
    assert!(matches!(error, Some(ObjectError::Unknown(_))), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_dropped_or_fails_leaves_nothing_behind() {
    let open = in_small_parts();
    let mut upload = open.session.upload("a", "").await.unwrap();
    upload.write(&noise(6_000_000)).await.unwrap();
    assert_eq!(Moto::shared().uploads(&open.bucket), ["a"]);
    drop(upload);
    assert_eq!(uploads(&open).await, [""; 0]);

    open.fault(Fault::on(Kind::UploadPart, Act::access_denied()).after(1));
    let mut upload = open.session.upload("a", "").await.unwrap();
    assert!(unavailable(upload.write(&noise(12_000_000)).await).contains("s3:PutObject"));
    assert!(upload.commit(&Precondition::None).await.is_err(), "an object with a hole");
    drop(upload);
    assert_eq!(uploads(&open).await, [""; 0]);
    assert_eq!(open.there("a"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_met_a_fault_is_sent_again() {
    let open = in_small_parts();
    open.fault(Fault::on(Kind::UploadPart, Act::DropAnswer));
    open.fault(Fault::on(Kind::UploadPart, Act::internal_error()));
    open.fault(Fault::on(Kind::CreateUpload, Act::slow_down()));
    let bytes = noise(12_000_000);
    let mut upload = open.session.upload("a", "").await.unwrap();
    upload.write(&bytes).await.unwrap();
    upload.commit(&Precondition::Absent).await.unwrap();
    assert!(open.there("a").unwrap() == bytes);
}
