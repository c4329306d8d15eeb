//! Commands as an operator mistypes them, or calls them in the wrong place.

use std::net::TcpListener;

use crate::harness::api::http;
use crate::harness::command::{ended, tidegate};
use crate::harness::process::{Process, nowhere};
use crate::harness::{eventually, ports};

#[test]
fn a_command_for_a_database_that_is_not_there_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let id = "01890000-0000-7000-8000-000000000001";
    let commands: [&[&str]; 9] = [
        &["keys", "add"],
        &["keys", "rotate"],
        &["keys", "renew"],
        &["services", "add", "gateway"],
        &["services", "list"],
        &["services", "remove", id],
        &["admins", "add"],
        &["admins", "list"],
        &["admins", "remove", id],
    ];
    for command in commands {
        let call = |place: &[&str]| ended(tidegate().args(command).args(place).current_dir(folder.path()));
        call(&[]).is_refused_with(&["database.url: tidegate-data/tidegate.db is not there"]);
        call(&["--database-url", "sqlite://nope/x.db"]).is_refused_with(&["database.url: nope/x.db is not there"]);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn no_key_is_put_in_front_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let call = |arguments: &[&str]| {
        let mut command = tidegate();
        ended(command.args(arguments).args(["--database-url", "sqlite://x.db"]).current_dir(folder.path()))
    };
    assert_eq!(call(&["migrate"]).code, Some(0));
    call(&["keys", "add"]).is_refused_with(&["master.key", "is not there"]);
    assert!(!folder.path().join("master.key").exists());
}

#[tokio::test]
async fn a_server_that_nobody_hears_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let port = ports::free().to_string();
    let mut command = tidegate();
    command.args(["dev", "--port", &port, "--log-level", "debug", "--data-dir"]).arg(folder.path().join("data"));
    let mut process = Process::unheard(&mut command);
    eventually("it is ready", || {
        assert!(!process.has_ended(), "it ended");
        let asked = http().get(format!("http://127.0.0.1:{port}/readyz")).send();
        async move { asked.await.ok().filter(|answer| answer.status() == 200).map(drop) }
    })
    .await;
    process.ask_to_stop();
    assert_eq!(process.end().await.code(), Some(0));
}

#[test]
fn a_command_that_nobody_hears_ends_as_it_would() {
    let folder = tempfile::tempdir().unwrap();
    let call = |arguments: &[&str]| {
        let mut command = tidegate();
        ended(
            command
                .args(arguments)
                .args(["--database-url", "sqlite://x.db"])
                .current_dir(folder.path())
                .stdout(nowhere()),
        )
    };
    for command in
        [&["config", "print"][..], &["config", "check"], &["migrate"], &["admins", "add"], &["admins", "list"]]
    {
        let ended = call(command);
        assert_eq!((ended.code, ended.err.contains("panicked")), (Some(0), false), "{command:?}: {}", ended.err);
    }
    assert_eq!(ended(tidegate().arg("bogus").stderr(nowhere())).code, Some(2));
    // What cannot be written for another reason is no success: it may have been a secret, shown this once.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let lost = ended(tidegate().args(["config", "print"]).stdout(full));
    assert_eq!((lost.code, lost.err.contains("standard output")), (Some(1), true), "{}", lost.err);
}

#[test]
fn a_database_server_that_refuses_connections_is_told_with_its_address() {
    let address = format!("127.0.0.1:{}", ports::free());
    let url = format!("postgres://me:swordfish@{address}/x");
    let refused = ended(tidegate().arg("migrate").env("TIDEGATE_DATABASE__URL", &url));
    assert_eq!((refused.code, refused.err.lines().count()), (Some(1), 1), "{}", refused.err);
    for part in ["database.url", &address, "Connection refused"] {
        assert_eq!(refused.err.matches(part).count(), 1, "{part}: {}", refused.err);
    }
    assert!(!refused.err.contains("swordfish"), "{}", refused.err);
}

#[test]
fn one_thing_is_said_by_one_flag() {
    let folder = tempfile::tempdir().unwrap();
    // Where what is tested is broken, the process ends all the same: it cannot listen there.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = address.rsplit(':').next().unwrap();
    let dev = |flags: &[&str]| ended(tidegate().arg("dev").args(flags).current_dir(folder.path()));
    dev(&["--port", port, "--http-listen", &address]).is_refused_with(&["--port", "--http-listen", "one of the two"]);
    dev(&["--port", port, "--data-dir", "data", "--database-url", "sqlite://sub/x.db"]).is_refused_with(&[
        "--data-dir",
        "--database-url",
        "one of the two",
    ]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_data_directory_that_is_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    ended(tidegate().args(["dev", "--port", &port, "--data-dir"]).arg(file.path())).is_refused_with(&[
        "--data-dir",
        file.path().to_str().unwrap(),
        "is no directory",
    ]);
}
