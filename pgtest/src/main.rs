//! A PostgreSQL for tests that are not written in Rust. Prints the address of an empty database as one line, and ends with its input; where
//! no PostgreSQL is installed, it says so and ends at once.

use std::io::{Write as _, sink};

use anteroom_pgtest::{Cluster, present};

fn main() -> std::io::Result<()> {
    if !present() {
        return Ok(());
    }
    let cluster = Cluster::start();
    writeln!(std::io::stdout(), "{}", cluster.url(&cluster.database()))?;
    // Whoever has started this may be killed: the end of the input is what they cannot fail to say.
    std::io::copy(&mut std::io::stdin().lock(), &mut sink())?;
    Ok(())
}
