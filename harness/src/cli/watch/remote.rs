//! `harness watch URL`: a run of another machine, its evidence checked here while it is shown.
//!
//! Where the connection is cut it asks again, from the record and the checkpoint it has come to; what it has checked it does
//! not check again, and the first octet that does not go on from there is an alarm.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{ClientIdentity, HttpUrl, PrivateKeySource};
use proto_lab::record::RunId;
use proto_lab::watch::{
    CheckpointsRequest, CheckpointsResponse, ListRunsRequest, RecordsRequest, RecordsResponse, WatchClient,
};
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::super::arguments::Watch;
use super::super::{Exit, Failure};
use super::lost::Lost;
use super::watched::{Watched, signer};
use crate::dial::{NoWay, Way};
use crate::server::pki::Certified;
use crate::tls;

/// The longest message taken; the server sends some hundred thousand octets at a time, or one line.
const LONGEST: usize = 4 << 20;
/// How often in a row it is asked again without a record or checkpoint more.
const TRIES: u32 = 8;
/// The shortest and the longest rest before it is.
const REST: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(8));
/// Once the final checkpoint is there all records are; how long the rest of them may take to come.
const REST_WITHIN: Duration = Duration::from_secs(30);

pub(super) async fn watch(verb: &Watch, url: &str) -> Result<Exit, Failure> {
    let (server, run) = place(url)?;
    let way = Way::to(server, verb.ca.as_deref(), identity(verb)?.as_ref()).map_err(no_way)?;
    let watching = Watching { verb, way, run, watched: None };
    tokio::select! {
        ended = watching.until_the_end() => ended.map(|()| Exit::Done),
        _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
    }
}

/// The server and the run that a URL names: `https://HOST:PORT` is the latest run, `https://HOST:PORT/RUN` that one.
fn place(url: &str) -> Result<(HttpUrl, Option<RunId>), Failure> {
    let wrong = |e| Failure::input(format!("{url}: {e}"));
    let whole: HttpUrl = url.parse().map_err(wrong)?;
    let run = match whole.path().trim_matches('/') {
        "" => None,
        run => Some(run.parse().map_err(Failure::input)?),
    };
    let scheme = if whole.is_secure() { "https" } else { "http" };
    Ok((format!("{scheme}://{}", whole.authority()).parse().map_err(wrong)?, run))
}

/// What is shown of oneself. A certificate that has expired is not worth the way.
fn identity(verb: &Watch) -> Result<Option<ClientIdentity>, Failure> {
    let Some((certificate, key)) = verb.certificate.clone().zip(verb.key_file.clone()) else {
        return Ok(None);
    };
    if let Some(expired) = expired(&certificate)? {
        let found = format!("{}: this certificate expired at {expired}", certificate.display());
        let advice = "the lab issues another with `harness pki issue NAME --role witness`";
        return Err(Failure::input(found).hint(advice));
    }
    Ok(Some(ClientIdentity { certificate, key: PrivateKeySource::File(key) }))
}

/// When a certificate expired, if it did. What it is otherwise is for the lab to judge.
fn expired(certificate: &Path) -> Result<Option<Timestamp>, Failure> {
    let shown = tls::certificates(certificate).map_err(Failure::input)?;
    let certified = shown.first().and_then(|shown| Certified::from_der(shown).ok());
    Ok(certified.map(|certified| certified.expires).filter(|expires| *expires <= Timestamp::now()))
}

fn no_way(error: NoWay) -> Failure {
    let advice = match &error {
        NoWay::Plain(_) => "the lab serves others over TLS: https, with --ca, --certificate and --key-file",
        NoWay::NoAuthority(_) => "the lab gives you `authority.pem` of its pki folder",
        NoWay::Wrong { .. } => "the files must be PEM, the certificate and its key a pair",
    };
    Failure::input(error).hint(advice)
}

/// How long to rest before asking again for the so-manieth time in a row; none when it was often enough.
fn rest(tries: u32) -> Option<Duration> {
    let (shortest, longest) = REST;
    (1..=TRIES).contains(&tries).then(|| longest.min(shortest * 2u32.pow(tries - 1)))
}

/// Somebody who watches a run over a wire.
struct Watching<'v> {
    verb: &'v Watch,
    way: Way,
    run: Option<RunId>,
    /// What has come; absent until the first record has.
    watched: Option<Watched>,
}

type Streams = (Streaming<RecordsResponse>, Streaming<CheckpointsResponse>);

impl Watching<'_> {
    async fn until_the_end(mut self) -> Result<(), Failure> {
        let mut tries = 0;
        loop {
            let before = self.come_to();
            let cut = match self.attend().await {
                Ok(()) => return self.watched.map_or(Ok(()), Watched::end),
                Err(Lost::Over(failure)) => return Err(failure),
                Err(Lost::Cut(failure)) => failure,
            };
            let Some(watched) = &self.watched else { return Err(self.begun_with(cut)) };
            // Whoever has come further has found the server well in between.
            tries = if watched.come_to() == before { tries + 1 } else { 1 };
            let Some(rest) = rest(tries) else {
                return Err(cut.hint(format!(
                    "it was asked {TRIES} times again: give the same command when the lab is back"
                )));
            };
            let (record, _) = watched.come_to();
            let words = cut.to_string();
            let words = words.lines().next().unwrap_or_default().trim_start_matches("error: ");
            watched.aside(&format!("cut off ({words}); asking again from record {record}"));
            tokio::time::sleep(rest).await;
        }
    }

    fn come_to(&self) -> (u64, u64) {
        self.watched.as_ref().map_or((0, 0), Watched::come_to)
    }

    /// A server that cuts a connection at once may not like what it was shown, and its reason may not have come through.
    fn begun_with(&self, cut: Failure) -> Failure {
        match &self.verb.certificate {
            None => cut,
            Some(file) => cut.hint(format!(
                "if it was cut off for its certificate: is {} of that lab's authority, and not taken back?",
                file.display()
            )),
        }
    }

    /// Follows the run until it is complete, or as far as this connection leads.
    async fn attend(&mut self) -> Result<(), Lost> {
        let connected = self.way.connect().await;
        let (channel, broke) = connected.map_err(|error| Lost::unreached(&self.way, &error))?;
        let mut client = WatchClient::new(channel).max_decoding_message_size(LONGEST);
        let way = self.way.clone();
        let told = move |status| Lost::told(&way, &broke, &status);
        let streams = self.ask(&mut client, &told).await?;
        match &mut self.watched {
            Some(watched) => follow(watched, streams, &told).await,
            None => Ok(()),
        }
    }

    /// Asks for the run from where it has come to; its first record says who signs it.
    async fn ask(
        &mut self,
        client: &mut WatchClient<Channel>,
        told: &impl Fn(Status) -> Lost,
    ) -> Result<Streams, Lost> {
        let run = match &self.run {
            Some(run) => run.clone(),
            None => latest(client, told).await?,
        };
        self.run = Some(run.clone());
        let (from, from_note) = self.come_to();
        let request = RecordsRequest { run: run.to_string(), from, follow: true };
        let mut records = client.records(request).await.map_err(told)?.into_inner();
        if self.watched.is_none() {
            let first = records.message().await.map_err(told)?.unwrap_or_default();
            let key = signer(self.verb, &first)?;
            let mut watched = Watched::begin(self.verb, key, &run)?;
            watched.take_lines(&first)?;
            self.watched = Some(watched);
        }
        let request = CheckpointsRequest { run: run.to_string(), from: from_note, follow: true };
        let notes = client.checkpoints(request).await.map_err(told)?.into_inner();
        Ok((records, notes))
    }
}

async fn latest(client: &mut WatchClient<Channel>, told: &impl Fn(Status) -> Lost) -> Result<RunId, Lost> {
    let listed = client.list_runs(ListRunsRequest { limit: 1 }).await;
    let runs = listed.map_err(told)?.into_inner().runs;
    let run = runs.first().ok_or_else(|| Failure::input("that lab has no run yet"))?;
    Ok(run.run.parse().map_err(Failure::lab)?)
}

/// Takes what comes until the run is complete.
async fn follow(
    watched: &mut Watched,
    (mut records, mut notes): Streams,
    told: &impl Fn(Status) -> Lost,
) -> Result<(), Lost> {
    let (mut more_records, mut more_notes) = (true, true);
    while more_records || more_notes {
        tokio::select! {
            lines = records.message(), if more_records => match lines.map_err(told)? {
                Some(lines) => watched.take_lines(&lines)?,
                None => more_records = false,
            },
            signed = notes.message(), if more_notes => match signed.map_err(told)? {
                Some(signed) => watched.take_notes(&signed)?,
                None => more_notes = false,
            },
            () = tokio::time::sleep(REST_WITHIN), if !more_notes => watched.at_end()?,
        }
    }
    match watched.is_complete() {
        true => Ok(()),
        false => {
            watched.at_end()?;
            Err(Lost::Cut(Failure::lab("the run's records ended before its last")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_server_and_perhaps_a_run() {
        let told =
            |url: &str| place(url).map(|(server, run)| (server.to_string(), run.map(|run| run.to_string())));
        let server = |url: &str| url.parse::<HttpUrl>().unwrap().to_string();
        let here = server("http://127.0.0.1:50051");
        assert_eq!(told("http://127.0.0.1:50051").ok(), Some((here.clone(), None)));
        assert_eq!(told("http://127.0.0.1:50051/").ok(), Some((here.clone(), None)));
        assert_eq!(told("http://127.0.0.1:50051/run-1").ok(), Some((here, Some("run-1".to_owned()))));
        let there = server("https://lab.example:50051");
        assert_eq!(told("https://lab.example:50051/run-1").ok(), Some((there, Some("run-1".to_owned()))));
        assert!(told("http://127.0.0.1:50051/../x").is_err());
        assert!(told("ftp://lab/").is_err());
    }

    #[test]
    fn it_is_asked_again_so_often_and_ever_less() {
        let rests: Vec<u128> = (1..).map_while(rest).map(|rest| rest.as_millis()).collect();
        assert_eq!(rests, [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(rest(0), None);
    }
}
