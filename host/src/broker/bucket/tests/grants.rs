//! A granted part of a bucket is reached, and nothing beside it.

use super::*;
use crate::broker::Denial;
use crate::config::{GrantSpec, Located};

fn at(url: String) -> Option<Located<String>> {
    Some(Located { value: url, span: 0..0 })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_leads_out_of_the_granted_prefix() {
    let open = Stage::new().open("granted");
    for outside in ["secret", "granted", "granted-too/x", "grante", "other/x"] {
        open.put(outside, b"outside");
    }
    open.put("granted/inside", b"inside");
    let session = &open.session;
    let hostile = [
        "../secret",
        "..",
        ".",
        "./inside",
        "a/../../secret",
        "/secret",
        "//secret",
        "/",
        "%2e%2e/secret",
        "..%2fsecret",
        "..\\secret",
        "\0",
        "inside\0/../../secret",
        "?list-type=2",
        "#",
        "inside?versionId=x",
        "",
        "-too/x",
        "../granted/inside",
    ];
    for key in hostile {
        assert!(session.get(key, None).await.is_err(), "{key:?}");
        session.prefetch(vec![key.to_owned()]);
        assert_eq!(open.keys(key, None).await.unwrap().iter().filter(|found| *found != "inside").count(), 0, "{key:?}");
        // What may be written lies inside, whatever it is called.
        let _ = session.put(key, b"x", "", &Precondition::None).await;
        if let Ok(mut upload) = session.upload(key, "").await {
            let _ = upload.write(b"x").await;
            let _ = upload.commit(&Precondition::None).await;
        }
        let _ = session.delete(key, &Precondition::None).await;
    }
    assert_eq!(open.keys("", Some("../")).await.unwrap(), ["inside"]);
    for seen in open.proxy.requests() {
        let bucket = open.bucket.as_str();
        assert_eq!(seen.bucket, bucket);
        match seen.kind {
            Kind::List => assert!(seen.parameter("prefix").unwrap().starts_with("granted/"), "{seen:?}"),
            _ => assert!(seen.key.starts_with("granted/"), "{seen:?}"),
        }
        assert!(!seen.path.split('/').any(|part| [".", "..", "%2e%2e"].contains(&part)), "{seen:?}");
    }
    let there = Moto::shared().keys(&open.bucket);
    let outside: Vec<_> = there.iter().filter(|key| !key.starts_with("granted/")).collect();
    assert_eq!(outside, ["grante", "granted", "granted-too/x", "other/x", "secret"]);
    assert_eq!(open.there("secret").unwrap(), b"outside");
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_and_writing_are_granted_apart_and_a_dry_run_only_reads() {
    let stage = Stage::new();
    let (proxy, bucket, _, broker) = stage.broker();
    let url = format!("s3://{bucket}/usage");
    let session = |spec: &GrantSpec, dry_run| {
        let grants = Grants::parse(spec, Path::new("/")).unwrap();
        broker.session("source", Arc::new(grants), dry_run)
    };
    let writes = session(&GrantSpec { write: at(url.clone()), ..GrantSpec::default() }, false);
    writes.put("a", b"x", "", &Precondition::None).await.unwrap();
    assert!(matches!(writes.get("a", None).await.err(), Some(ObjectError::Denied(_))));
    assert_eq!(
        writes.denials().iter().map(Denial::to_string).collect::<Vec<_>>(),
        [format!(
            "source asked to read \"a\", which it is not granted; below [source], this line would grant it: grant.read = \"{url}/\""
        )]
    );
    let reads = session(&GrantSpec { read: at(url.clone()), ..GrantSpec::default() }, false);
    assert_eq!(reads.get("a", None).await.unwrap().object().size, 1);
    assert!(matches!(reads.delete("a", &Precondition::None).await, Err(ObjectError::Denied(_))));
    assert!(matches!(reads.upload("a", "").await.err(), Some(ObjectError::Denied(_))));

    let dry = session(&GrantSpec { read: at(url.clone()), write: at(url), ..GrantSpec::default() }, true);
    assert_eq!(dry.get("a", None).await.unwrap().object().size, 1);
    proxy.reset();
    let refused = ObjectError::Denied("a dry run writes nothing".to_owned());
    assert_eq!(dry.put("b", b"x", "", &Precondition::None).await, Err(refused.clone()));
    assert_eq!(dry.upload("b", "").await.err(), Some(refused.clone()));
    assert_eq!(dry.delete("a", &Precondition::None).await, Err(refused));
    assert_eq!(proxy.requests().len(), 0);
    assert_eq!(dry.call_record().writes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_the_hosts_own_is_a_folder_or_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let (_proxy, bucket, account, broker) = Stage::new().broker();
    for url in ["file://./state".to_owned(), format!("s3://{bucket}/state")] {
        let grants = Grants::of_store(&url, folder.path(), &account).unwrap();
        let session = broker.session("ledger", Arc::new(grants), false);
        let first = session.put("a.json", b"1", "application/json", &Precondition::Absent).await.unwrap();
        assert!(matches!(
            session.put("a.json", b"2", "", &Precondition::Absent).await,
            Err(ObjectError::Precondition(_))
        ));
        let second = session.put("a.json", b"2", "", &Precondition::Match(first.clone())).await.unwrap();
        let late = session.put("a.json", b"3", "", &Precondition::Match(first)).await;
        assert!(matches!(late, Err(ObjectError::Precondition(_))), "{url}: {late:?}");
        let mut body = session.get("a.json", Some(&second)).await.unwrap();
        assert_eq!(read(&mut body).await.unwrap(), b"2");
    }
    let wrong =
        Grants::of_store("file://./state", folder.path(), &Account { region: Some("eu-west-1".into()), ..account });
    assert_eq!(
        wrong.unwrap_err(),
        "`region` is for AWS, and nothing there is granted; leave `region` out, or grant a bucket, `read = \"s3://bucket/prefix\"`, or an action, `aws = { \"dynamodb:Query\" = [\"TABLE\"] }`"
    );
}
