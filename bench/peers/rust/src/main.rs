//! peer ENDPOINT BUCKET CONCURRENCY: prints a JSON line for every object of the bucket that has metadata, by aws-sdk-s3 and a
//! tokio task for every key, CONCURRENCY of them at a time. The credentials come from
//! the environment.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::{Client, Config};
use tokio::sync::{mpsc, Semaphore};
use tokio::task::{JoinHandle, JoinSet};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// An object that has metadata.
struct Object {
    key: String,
    metadata: BTreeMap<String, String>, // sorted by name
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, endpoint, bucket, concurrency] = args.as_slice() else {
        return Err("usage: peer ENDPOINT BUCKET CONCURRENCY".into());
    };
    let client = new_client(endpoint)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(client, bucket, concurrency.parse()?))
}

fn new_client(endpoint: &str) -> Result<Client> {
    let credentials = Credentials::new(
        std::env::var("AWS_ACCESS_KEY_ID")?,
        std::env::var("AWS_SECRET_ACCESS_KEY")?,
        None,
        None,
        "environment",
    );
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(credentials)
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .build();
    Ok(Client::from_conf(config))
}

async fn run(client: Client, bucket: &str, concurrency: usize) -> Result<()> {
    let (found, objects) = mpsc::channel(concurrency);
    let printer: JoinHandle<Result<()>> = tokio::task::spawn_blocking(move || print(objects));
    let permits = Arc::new(Semaphore::new(concurrency));
    let mut heads = JoinSet::new();
    let mut pages = client.list_objects_v2().bucket(bucket).into_paginator().send();
    while let Some(page) = pages.next().await {
        for key in page?.contents.unwrap_or_default().into_iter().filter_map(|o| o.key) {
            let permit = permits.clone().acquire_owned().await?;
            let (client, bucket, found) = (client.clone(), bucket.to_string(), found.clone());
            heads.spawn(async move {
                let _permit = permit;
                head(client, bucket, key, found).await
            });
            while let Some(done) = heads.try_join_next() {
                done??;
            }
        }
    }
    while let Some(done) = heads.join_next().await {
        done??;
    }
    drop(found); // closes the channel, which ends the printer
    printer.await?
}

async fn head(client: Client, bucket: String, key: String, found: mpsc::Sender<Object>) -> Result<()> {
    let answer = client.head_object().bucket(bucket).key(&key).send().await?;
    let metadata: BTreeMap<String, String> = answer.metadata.unwrap_or_default().into_iter().collect();
    if !metadata.is_empty() {
        found.send(Object { key, metadata }).await?;
    }
    Ok(())
}

fn print(mut objects: mpsc::Receiver<Object>) -> Result<()> {
    let mut out = BufWriter::with_capacity(64 << 10, std::io::stdout().lock());
    while let Some(object) = objects.blocking_recv() {
        write!(out, "{{\"key\":{},\"metadata\":", serde_json::to_string(&object.key)?)?;
        serde_json::to_writer(&mut out, &object.metadata)?;
        out.write_all(b"}\n")?;
    }
    out.flush()?;
    Ok(())
}
