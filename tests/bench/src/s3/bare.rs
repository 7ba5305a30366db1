//! What reading from S3 takes at least: a program that lists, fetches so many objects at once, and throws away what comes.
//!
//! It signs nothing, checks no checksum, and uses no SDK.

use std::error::Error;
use std::sync::Arc;

use reqwest::Client;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::BUCKET;
use super::month::PREFIX;

/// Lists and fetches everything; answers how many objects and bytes there were. A page is listed while others are fetched.
pub fn fetch(store: &str, at_once: usize) -> Result<(u64, u64), Box<dyn Error>> {
    // As many threads as the program has for its requests.
    let io = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    io.block_on(all(store, at_once))
}

async fn all(store: &str, at_once: usize) -> Result<(u64, u64), Box<dyn Error>> {
    let client = client()?;
    let bucket = format!("{store}/{BUCKET}");
    let slots = Arc::new(Semaphore::new(at_once));
    let mut fetches = JoinSet::new();
    let mut token = String::new();
    loop {
        let mut url = format!("{bucket}?list-type=2&prefix={PREFIX}");
        if !token.is_empty() {
            url.push_str(&format!("&continuation-token={token}"));
        }
        let page = client.get(url).send().await?.error_for_status()?.text().await?;
        for key in between(&page, "<Key>", "</Key>") {
            let (client, slots, url) = (client.clone(), Arc::clone(&slots), format!("{bucket}/{key}"));
            fetches.spawn(async move {
                // Nobody closes it.
                let _slot = slots.acquire_owned().await;
                let answer = client.get(url).send().await?.error_for_status()?;
                Ok::<_, reqwest::Error>(answer.bytes().await?.len() as u64)
            });
        }
        match between(&page, "<NextContinuationToken>", "</NextContinuationToken>").next() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    let (mut objects, mut bytes) = (0, 0);
    while let Some(fetched) = fetches.join_next().await {
        objects += 1;
        bytes += fetched??;
    }
    Ok((objects, bytes))
}

/// A client that loads no certificates: the server speaks plain HTTP, and loading them takes time.
fn client() -> Result<Client, Box<dyn Error>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(Client::builder().tls_backend_preconfigured(tls).no_proxy().build()?)
}

/// The texts that stand between two others.
fn between<'a>(text: &'a str, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(begin).skip(1).filter_map(move |rest| rest.split(end).next())
}
