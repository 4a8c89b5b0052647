//! Documents: how fast the process that reads them is, beside `pdftotext` of poppler where that is installed.

use std::{path::Path, process::Stdio, time::Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::{
    figures::{Measure, Unit},
    numbers::median,
    system::Places,
};

/// Pages of the document.
const PAGES: usize = 500;
/// Lines of a page.
const LINES: usize = 45;
/// How often it is read.
const TIMES: usize = 5;
/// Pages a second. A book of 500 is read before anybody wonders.
const LEAST: f64 = 100.0;

pub(crate) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let file = document();
    let own = speed(&places.anteroom, &["read-paper"], &file).await?;
    let mut measures = vec![
        Measure::new(
            format!("pages a second, a PDF of {PAGES} in one process"),
            own,
            Unit::PerSecond,
        )
        .at_least(LEAST),
    ];
    let other = Path::new("pdftotext");
    match speed(other, &["-enc", "UTF-8", "-", "-"], &file).await {
        Ok(theirs) => measures.push(Measure::new("the same with pdftotext", theirs, Unit::PerSecond)),
        Err(error) => {
            eprintln!("bench: papers: pdftotext is not here (Debian and Ubuntu: apt install poppler-utils): {error:#}");
        }
    }
    Ok(measures)
}

/// Pages a second, of the median time.
async fn speed(program: &Path, arguments: &[&str], file: &[u8]) -> anyhow::Result<f64> {
    let mut seconds = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        let text = read(program, arguments, file).await?;
        seconds.push(began.elapsed().as_secs_f64());
        ensure!(
            text.contains(&format!("line {} of page {PAGES}", LINES - 1)),
            "its last line was not read"
        );
    }
    Ok(PAGES as f64 / median(&seconds).context("nothing was timed")?)
}

async fn read(program: &Path, arguments: &[&str], file: &[u8]) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .with_context(|| format!("{} does not start", program.display()))?;
    let mut to = child.stdin.take().context("it has no input")?;
    let feed = async {
        let sent = to.write_all(file).await;
        drop(to);
        sent
    };
    let (sent, done) = tokio::join!(feed, child.wait_with_output());
    sent?;
    let done = done?;
    if !done.status.success() {
        bail!("{} ended with {}", program.display(), done.status);
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// A PDF with lines of words, as long as those of a report.
fn document() -> Vec<u8> {
    let kids = (0..PAGES)
        .map(|page| format!("{} 0 R", 4 + 2 * page))
        .collect::<Vec<_>>()
        .join(" ");
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {PAGES} /Kids [{kids}] /MediaBox [0 0 612 792] >>"),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for page in 0..PAGES {
        let lines = (0..LINES).map(|line| {
            format!("[(line {line} of page {}: T) 80 (he committee met and nothing of note was said by anybody) -20 ( there)] TJ T*", page + 1)
        });
        let content = format!(
            "BT /F1 11 Tf 15 TL 60 740 Td\n{}\nET",
            lines.collect::<Vec<_>>().join("\n")
        );
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + 2 * page
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let trailer = format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n",
        objects.len() + 1,
        file.len()
    );
    (file + &table + &trailer).into_bytes()
}
