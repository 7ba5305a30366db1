//! What a `grant` table means, and what is said about one that means nothing.

use super::super::root::BucketRoot;
use super::*;

fn at<T>(value: T) -> Located<T> {
    Located { value, span: 3..9 }
}

fn http(urls: &[&str]) -> GrantSpec {
    let plain = |url: &&str| at(HttpGrantSpec { url: (*url).to_owned(), methods: None, paths: None });
    GrantSpec { http: urls.iter().map(plain).collect(), ..GrantSpec::default() }
}

fn narrowed(methods: Option<&[&str]>, paths: Option<&[&str]>) -> GrantSpec {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let spec =
        HttpGrantSpec { url: "https://a.example/ignored".to_owned(), methods: methods.map(own), paths: paths.map(own) };
    GrantSpec { http: vec![at(spec)], ..GrantSpec::default() }
}

fn with_secret(mut spec: GrantSpec, to: Option<&str>) -> GrantSpec {
    let secret = SecretSpec { from: SecretSource::Env("KEY".to_owned()), to: to.map(str::to_owned) };
    spec.secrets.insert("key".to_owned(), at(secret));
    spec
}

fn parse(spec: &GrantSpec) -> Grants {
    Grants::parse(spec, Path::new("/pipelines")).unwrap()
}

/// Field, message and help of the only error.
fn error(spec: &GrantSpec) -> (String, String, String) {
    let mut errors = Grants::parse(spec, Path::new("/pipelines")).unwrap_err();
    let error = errors.pop().unwrap();
    assert_eq!((errors, error.span), (Vec::new(), 3..9));
    (error.field, error.message, error.help)
}

fn may(spec: &GrantSpec, method: &str, url: &str) -> HttpAnswer {
    let (url, origin) = Origin::read(url).unwrap();
    parse(spec).may_send(&origin, &method.parse().unwrap(), url.path())
}

#[test]
fn without_a_grant_nothing_is_reached() {
    let grants = parse(&GrantSpec::default());
    assert_eq!(grants, Grants::none());
    assert!(!grants.reads() && !grants.writes() && !grants.has_http() && !grants.has_secret("key"));
    assert_eq!(grants.describe(), ["reaches nothing outside the sandbox"]);
}

#[test]
fn a_url_grants_its_whole_origin_and_no_other() {
    let spec = http(&["https://a.example/metering/"]);
    assert_eq!(may(&spec, "DELETE", "https://A.example.:443/other"), HttpAnswer::Granted);
    for other in
        ["http://a.example/", "https://a.example:8443/", "https://b.a.example/", "https://a.example.evil.test/"]
    {
        assert_eq!(may(&spec, "GET", other), HttpAnswer::NotGranted, "{other}");
    }
}

#[test]
fn methods_and_paths_narrow_a_grant_and_several_grants_add_up() {
    let mut spec = narrowed(Some(&["POST"]), Some(&["/v1/*"]));
    assert_eq!(may(&spec, "POST", "https://a.example/v1/x"), HttpAnswer::Granted);
    assert_eq!(may(&spec, "GET", "https://a.example/v1/x"), HttpAnswer::Narrowed);
    assert_eq!(may(&spec, "POST", "https://a.example/v1/../x"), HttpAnswer::Narrowed);
    spec.http.extend(narrowed(Some(&["GET"]), None).http);
    assert_eq!(may(&spec, "GET", "https://a.example/v1/x"), HttpAnswer::Granted);
    assert_eq!(may(&spec, "POST", "https://a.example/x"), HttpAnswer::Narrowed);
}

#[test]
fn explain_says_in_plain_words_what_is_reached() {
    let mut spec = with_secret(narrowed(Some(&["GET", "POST"]), Some(&["/v1/*"])), None);
    spec.read = Some(at("file://./bucket/".to_owned()));
    spec.write = Some(at("file:///srv/out".to_owned()));
    let token = SecretSpec { from: SecretSource::File("token.txt".into()), to: Some("https://a.example".to_owned()) };
    spec.secrets.insert("token".to_owned(), at(token));
    let grants = parse(&spec);
    assert_eq!(
        grants.describe(),
        [
            "lists and reads files below /pipelines/bucket",
            "writes and deletes files below /srv/out",
            "sends requests to https://a.example, only GET, POST, only to /v1/*",
            "has the secret `key` (environment variable KEY) put into requests to https://a.example, without seeing it",
            "has the secret `token` (file /pipelines/token.txt) put into requests to https://a.example, without seeing it",
        ]
    );
    assert!(grants.reads() && grants.writes() && grants.has_http() && grants.has_secret("key"));
}

#[test]
fn a_folder_is_relative_to_the_pipeline_file_or_absolute() {
    for (url, folder) in [
        ("file://.", "/pipelines"),
        ("file://./a b%20", "/pipelines/a b%20"),
        ("file://../up", "/pipelines/../up"),
        ("file:///abs//x/", "/abs/x"),
    ] {
        let spec = GrantSpec { read: Some(at(url.to_owned())), ..GrantSpec::default() };
        assert_eq!(parse(&spec).read, Some(Root::Folder(folder.into())), "{url}");
    }
}

#[test]
fn a_bucket_is_granted_whole_or_below_a_prefix() {
    for (url, prefix) in [
        ("s3://usage-export", ""),
        ("s3://usage-export/", ""),
        ("s3://usage-export/a/b c%20", "a/b c%20/"),
        ("s3://usage-export/a/b/", "a/b/"),
    ] {
        let spec = GrantSpec { write: Some(at(url.to_owned())), ..GrantSpec::default() };
        let root = BucketRoot { bucket: "usage-export".to_owned(), prefix: prefix.to_owned() };
        assert_eq!(parse(&spec).write, Some(Root::Bucket(root)), "{url}");
    }
    let spec = GrantSpec {
        read: Some(at("s3://usage/a".to_owned())),
        write: Some(at("file:///srv/out".to_owned())),
        role: Some(at("arn:aws:iam::123456789012:role/metering".to_owned())),
        profile: Some(at("billing".to_owned())),
        region: Some(at("eu-west-1".to_owned())),
        ..GrantSpec::default()
    };
    assert_eq!(
        parse(&spec).describe(),
        [
            "lists and reads objects below s3://usage/a/, as arn:aws:iam::123456789012:role/metering, with the credentials of the profile billing",
            "writes and deletes files below /srv/out",
        ]
    );
}

#[test]
fn an_account_that_means_nothing_says_what_to_write() {
    let on = |read: &str, change: &dyn Fn(&mut GrantSpec)| {
        let mut spec = GrantSpec { read: Some(at(read.to_owned())), ..GrantSpec::default() };
        change(&mut spec);
        error(&spec)
    };
    let some = |text: &str| Some(at(text.to_owned()));
    let folder = "file://./usage";
    for (field, found) in [
        ("role", on(folder, &|spec| spec.role = some("arn:aws:iam::123456789012:role/x"))),
        ("profile", on(folder, &|spec| spec.profile = some("x"))),
        ("region", on(folder, &|spec| spec.region = some("eu-west-1"))),
    ] {
        let message = format!("`{field}` is for AWS, and nothing there is granted");
        let help = format!(
            "leave `{field}` out, or grant a bucket, `read = \"s3://bucket/prefix\"`, or an action, `aws = {{ \"dynamodb:Query\" = [\"TABLE\"] }}`"
        );
        assert_eq!(found, (field.to_owned(), message, help));
    }
    for role in
        ["metering", "arn:aws:iam::123:role/x", "arn:aws:iam::123456789012:user/x", "arn:aws:iam::123456789012:role/"]
    {
        let (field, message, help) = on("s3://usage", &|spec| spec.role = some(role));
        assert_eq!((field.as_str(), message), ("role", format!("`{role}` is not the ARN of a role")));
        assert_eq!(help, "write `arn:aws:iam::123456789012:role/NAME`");
    }
    for region in ["", "EU", "eu west", "x.example/"] {
        let (field, message, _) = on("s3://usage", &|spec| spec.region = some(region));
        assert_eq!((field.as_str(), message), ("region", format!("`{region}` is not a region")));
    }
    assert_eq!(on("s3://usage", &|spec| spec.profile = some(" ")).1, "`profile` is empty");
}

#[test]
fn a_url_that_is_no_folder_or_bucket_says_what_to_write() {
    let help = "write `file://./folder` for a folder beside the pipeline file, `file:///folder` for any other, `s3://bucket/prefix` for a bucket";
    let name = "write `s3://bucket/prefix`; a bucket's name has at least three lower-case letters, digits, `-` or `.`";
    let parts = "write the prefix as the keys have it: `s3://bucket/a/b`";
    for (url, message, help) in [
        ("./bucket", "`./bucket` is not the URL of a folder or bucket", help),
        ("file://bucket/x", "`file://bucket/x` names the machine `bucket`, not a folder", help),
        ("", "`` is not the URL of a folder or bucket", help),
        ("S3://usage", "`S3://usage` is not the URL of a folder or bucket", help),
        ("s3://", "`` cannot be the name of a bucket", name),
        ("s3:///usage", "`` cannot be the name of a bucket", name),
        ("s3://a:b@usage/x", "`a:b@usage` cannot be the name of a bucket", name),
        ("s3://usage?x", "`usage?x` cannot be the name of a bucket", name),
        ("s3://us..age", "`us..age` cannot be the name of a bucket", name),
        (
            "s3://usage/a/../b",
            "the prefix of `s3://usage/a/../b` has an empty part, `.` or `..` between its slashes",
            parts,
        ),
        ("s3://usage//a", "the prefix of `s3://usage//a` has an empty part, `.` or `..` between its slashes", parts),
        (
            "s3://usage/a/*",
            "a `*` stands in `s3://usage/a/*`, but a grant holds all keys below its prefix anyway",
            "leave the `*` out: `s3://bucket/prefix`",
        ),
    ] {
        let read = GrantSpec { read: Some(at(url.to_owned())), ..GrantSpec::default() };
        assert_eq!(error(&read), ("read".into(), message.into(), help.into()));
        let write = GrantSpec { write: Some(at(url.to_owned())), ..GrantSpec::default() };
        assert_eq!(error(&write), ("write".into(), message.into(), help.into()));
    }
}

#[test]
fn an_http_grant_that_grants_nothing_says_what_to_write() {
    let host = "write scheme and host, such as `https://api.example.com`";
    let exact = "a path is exact (`/v1/usage`), or a beginning and a star (`/v1/*`)";
    for (spec, message, help) in [
        (
            http(&["api.example.com"]),
            "`api.example.com` grants nothing: it is not a whole URL (relative URL without a base)",
            host,
        ),
        (
            http(&["ftp://a.b"]),
            "`ftp://a.b` grants nothing: its scheme is `ftp`, only `https` and `http` are known",
            host,
        ),
        (http(&["https://u:p@a.b"]), "`https://u:p@a.b` grants nothing: a user name or password stands in it", host),
        (narrowed(Some(&["get"]), None), "`get` is not a method", "methods are written in capitals: `GET`, `POST`"),
        (
            narrowed(Some(&[]), None),
            "`methods` is empty, so `https://a.example/ignored` grants nothing",
            "leave `methods` out to allow all",
        ),
        (
            narrowed(None, Some(&[])),
            "`paths` is empty, so `https://a.example/ignored` grants nothing",
            "leave `paths` out to allow all",
        ),
        (narrowed(None, Some(&["v1"])), "the path `v1` does not begin with `/`", exact),
    ] {
        assert_eq!(error(&spec), ("http[0]".into(), message.into(), help.into()));
    }
}

#[test]
fn a_secret_is_bound_to_exactly_one_granted_origin() {
    let bound = |spec: &GrantSpec| parse(spec).secrets["key"].to.to_string();
    assert_eq!(bound(&with_secret(http(&["https://a.example/x", "https://a.example/y"]), None)), "https://a.example");
    let two = http(&["https://a.example", "https://b.example"]);
    assert_eq!(bound(&with_secret(two.clone(), Some("https://B.example/any"))), "https://b.example");
    for (spec, message, help) in [
        (
            with_secret(two.clone(), None),
            "it is not said which of the granted origins the secret `key` is for",
            "add `to = \"https://a.example\"`, or another of: https://a.example, https://b.example",
        ),
        (
            with_secret(two, Some("https://c.example")),
            "the secret `key` is bound to https://c.example, which `http` does not grant",
            "granted are: https://a.example, https://b.example",
        ),
        (
            with_secret(GrantSpec::default(), None),
            "the secret `key` can go nowhere: no origin is granted",
            "add the origin that it is for: `http = [\"https://api.example.com\"]`",
        ),
        (
            with_secret(GrantSpec::default(), Some("https://c.example")),
            "the secret `key` is bound to https://c.example, which `http` does not grant",
            "add `http = [\"https://c.example\"]`",
        ),
        (
            with_secret(http(&["https://a.example"]), Some("a.example")),
            "the secret `key` cannot be bound to `a.example`: it is not a whole URL (relative URL without a base)",
            "write scheme and host, such as `https://api.example.com`",
        ),
    ] {
        assert_eq!(error(&spec), ("secrets.key".into(), message.into(), help.into()));
    }
}

#[test]
fn everything_wrong_is_said_at_once_but_nothing_twice() {
    let mut spec = with_secret(http(&["https://a.example", "b.example"]), Some("https://b.example"));
    spec.read = Some(at("bucket".to_owned()));
    let fields: Vec<_> =
        Grants::parse(&spec, Path::new("/")).unwrap_err().into_iter().map(|error| error.field).collect();
    assert_eq!(fields, ["read", "http[1]"]);
}
