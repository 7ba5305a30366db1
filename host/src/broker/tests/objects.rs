//! Objects as granted, and what a dry run does with all of it.

use super::*;

#[tokio::test]
async fn objects_are_reached_only_as_granted() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    let nothing = session(&GrantSpec::default());
    assert_eq!(
        nothing.get("a", None).await.err(),
        Some(ObjectError::Denied("the pipeline grants no folder or bucket to read".to_owned()))
    );
    assert!(matches!(nothing.list("", None).await.err(), Some(ObjectError::Denied(_))));
    let wrote = nothing.put("a", b"x", "", &Precondition::None).await;
    assert_eq!(wrote, Err(ObjectError::Denied("the pipeline grants no folder or bucket to write".to_owned())));
    assert_eq!(
        nothing.denials().iter().map(Denial::to_string).collect::<Vec<_>>(),
        [
            "sink.test asked to read \"a\", which it is not granted; below [sink.test], this line would grant it: grant.read = \"file://./FOLDER\"",
            "sink.test asked to read \"\", which it is not granted; below [sink.test], this line would grant it: grant.read = \"file://./FOLDER\"",
            "sink.test asked to write \"a\", which it is not granted; below [sink.test], this line would grant it: grant.write = \"file://./FOLDER\"",
        ]
    );

    let writes = session(&GrantSpec { write: Some(at(url.clone())), ..GrantSpec::default() });
    writes.put("a", b"x", "text/plain", &Precondition::None).await.unwrap();
    assert!(matches!(writes.get("a", None).await.err(), Some(ObjectError::Denied(_))));
    assert_eq!(writes.call_record(), record(0, 0, 1));

    let reads = session(&GrantSpec { read: Some(at(url)), ..GrantSpec::default() });
    assert_eq!(reads.get("a", None).await.unwrap().read(10).await.unwrap(), b"x");
    assert!(matches!(reads.delete("a", &Precondition::None).await, Err(ObjectError::Denied(_))));
    assert!(matches!(reads.get("../a", None).await.err(), Some(ObjectError::Denied(_))));
    let outside = reads.denials().pop().unwrap();
    assert_eq!(outside.asked, "for \"../a\", outside the granted folder");
    assert_eq!(outside.grant, None);
    reads.prefetch(vec!["a".to_owned()]);
}

#[tokio::test]
async fn a_dry_run_reads_objects_and_changes_nothing_else() {
    let server = TestServer::start(Act::Echo);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "x").unwrap();
    let url = format!("file://{}", folder.path().display());
    let mut spec = with_secret(granting(&[&server.url()]), None);
    (spec.read, spec.write) = (Some(at(url.clone())), Some(at(url)));
    let mut settings = settings();
    settings.env = Arc::new(|_| panic!("a dry run reads no secret"));
    let grants = Grants::parse(&spec, Path::new("/")).unwrap();
    let session = Broker::new(settings).unwrap().session("sink.test", Arc::new(grants), true);

    let mark = session.secret("key", Encoding::Raw).unwrap();
    let sent = session.send(post(server.url(), &mark)).await;
    assert_eq!(sent, Err(HttpError::Denied("a dry run sends nothing".to_owned())));
    let refused = ObjectError::Denied("a dry run writes nothing".to_owned());
    assert_eq!(session.put("b", b"x", "", &Precondition::None).await, Err(refused.clone()));
    assert_eq!(session.upload("b", "").await.err(), Some(refused.clone()));
    assert_eq!(session.delete("a", &Precondition::None).await, Err(refused));
    assert_eq!(session.get("a", None).await.unwrap().read(1).await.unwrap(), b"x");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!((server.connections(), session.call_record(), session.denials()), (0, record(0, 0, 0), Vec::new()));
    // What is not granted shows all the same: a plan is the place to find out.
    session.send(get("https://not-granted.example")).await.unwrap_err();
    assert_eq!(session.denials().len(), 1);
}
