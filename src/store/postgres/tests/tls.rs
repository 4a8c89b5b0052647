//! A server that speaks TLS, with a certificate that nobody has signed but itself.

use std::{io::Write as _, path::Path, process::Command};

use sqlx::PgConnection;

use super::*;
use crate::store::{postgres::link::Link, readers::Connect as _};

/// Makes a key and a certificate for 127.0.0.1. `false`: there is no program for that, which has been said.
fn certify(folder: &Path) -> bool {
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=pgtest",
    ]);
    openssl.args([
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]);
    openssl.arg("-keyout").arg(folder.join("key.pem"));
    openssl.arg("-out").arg(folder.join("certificate.pem"));
    let made = openssl.output().is_ok_and(|output| output.status.success());
    if !made {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: TLS to PostgreSQL: openssl could not make a certificate"
        );
    }
    made
}

async fn is_encrypted(connection: &mut PgConnection) -> bool {
    sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        .fetch_one(connection)
        .await
        .expect("read")
}

#[tokio::test]
async fn a_database_is_spoken_to_over_tls_and_its_certificate_is_checked_where_that_is_asked_for() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Cluster::start();
    let folder = cluster.folder().to_owned();
    if !certify(&folder) {
        return;
    }
    for file in ["key.pem", "certificate.pem"] {
        cluster.own(&folder.join(file));
    }
    for (name, value) in [
        ("ssl", "on".to_owned()),
        ("ssl_cert_file", folder.join("certificate.pem").display().to_string()),
        ("ssl_key_file", folder.join("key.pem").display().to_string()),
    ] {
        cluster.sql("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"));
    }
    cluster.stop();
    cluster.start_again();
    let plain = cluster.url(&cluster.database());
    // Readable for whoever runs the tests.
    let trusted = tempfile::tempdir().expect("a folder");
    let root = trusted.path().join("root.pem");
    std::fs::copy(folder.join("certificate.pem"), &root).expect("copied");
    let root = root.display();

    for (mode, encrypted) in [
        (String::new(), true),
        ("?sslmode=disable".to_owned(), false),
        ("?sslmode=require".to_owned(), true),
        (format!("?sslmode=verify-full&sslrootcert={root}"), true),
    ] {
        let address = Secret(format!("{plain}{mode}"));
        let link = Link::new(&address, Incarnation(1), IMPATIENT).expect("an address");
        let mut connection = link.connect().await.unwrap_or_else(|error| panic!("{mode}: {error}"));
        assert_eq!(is_encrypted(&mut connection).await, encrypted, "{mode}");
    }
    // Signed by nobody whom the system knows; and for another name.
    let error = refused(&format!("{plain}?sslmode=verify-full")).await;
    assert!(matches!(error, OpenError::Tls { .. }), "{error:?}");
    let elsewhere = plain.replace("127.0.0.1", "localhost");
    let error = refused(&format!("{elsewhere}?sslmode=verify-full&sslrootcert={root}")).await;
    assert!(matches!(error, OpenError::Tls { .. }), "{error:?}");
    let store = open(&format!("{plain}?sslmode=verify-full&sslrootcert={root}")).await;
    assert_eq!(store.is_empty().await, Ok(true));
}
