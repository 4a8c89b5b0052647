//! What can stand in the way of opening the database.

use thiserror::Error;

use super::{faults, link::Place};

/// The store cannot be opened. `Display` tells the operator what happened and what to do, and names no password.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    /// The address is none, which the settings should have found.
    #[error("DATABASE_URL cannot be used: {0}")]
    Address(String),
    /// Nobody answers.
    #[error("PostgreSQL at {place} cannot be reached: {reason}. Start it, or correct DATABASE_URL")]
    Unreachable {
        /// Where it is.
        place: Place,
        /// What happened.
        reason: String,
    },
    /// It lets this role not in.
    #[error(
        "PostgreSQL at {place} does not let the role {user} in: {reason}. Correct the name and the password in DATABASE_URL, or the server's \
         pg_hba.conf",
        user = place.user
    )]
    Refused {
        /// Where it is.
        place: Place,
        /// What it said.
        reason: String,
    },
    /// There is no such database.
    #[error(
        "PostgreSQL at {place} has no database {database}. Make it: createdb --owner={user} --encoding=UTF8 --template=template0 {database}",
        database = place.database, user = place.user
    )]
    NoDatabase {
        /// Where it is.
        place: Place,
    },
    /// The connection is not encrypted as the address asks for.
    #[error(
        "PostgreSQL at {place} cannot be spoken to over TLS as DATABASE_URL asks for: {reason}. See sslmode in docs/postgres.md"
    )]
    Tls {
        /// Where it is.
        place: Place,
        /// What happened.
        reason: String,
    },
    /// The server is too old.
    #[error(
        "PostgreSQL at {place} is of version {version}, and Anteroom needs 15 or later. Bring the server up to date"
    )]
    TooOld {
        /// Where it is.
        place: Place,
        /// Its version.
        version: String,
    },
    /// It cannot hold every text.
    #[error(
        "the database {database} at {place} is encoded in {encoding}, and texts are UTF-8. Make another one: createdb --owner={user} \
         --encoding=UTF8 --template=template0 …, and name it in DATABASE_URL",
        database = place.database, user = place.user
    )]
    Encoding {
        /// Where it is.
        place: Place,
        /// Its encoding.
        encoding: String,
    },
    /// It cannot be written.
    #[error(
        "the database {database} at {place} can only be read ({reason}). Name the server in DATABASE_URL that takes writes, not a standby, and see \
         that default_transaction_read_only is off",
        database = place.database
    )]
    ReadOnly {
        /// Where it is.
        place: Place,
        /// Why.
        reason: String,
    },
    /// The role lacks a right.
    #[error(
        "the role {user} may not use the database {database} at {place} as Anteroom has to ({reason}). Make it the owner: ALTER DATABASE \
         {database} OWNER TO {user}; and of the tables in it, if there are some: see docs/postgres.md",
        database = place.database, user = place.user
    )]
    Rights {
        /// Where it is.
        place: Place,
        /// What was refused.
        reason: String,
    },
    /// Another server has it.
    #[error(
        "the database {database} at {place} is in use by another Anteroom ({holder}). Stop that one first, or name a database of this server's \
         own in DATABASE_URL. Should several keep one line over it, each needs a NODE_ADDR of its own",
        database = place.database
    )]
    InUse {
        /// Where it is.
        place: Place,
        /// Who holds it, in words.
        holder: String,
    },
    /// Nodes have it, and this process is none.
    #[error(
        "the database {database} at {place} is in use by several Anterooms ({holder} is one of them), and this one has no NODE_ADDR. Set it, so that \
         it joins them, or stop all of them first",
        database = place.database
    )]
    InUseByNodes {
        /// Where it is.
        place: Place,
        /// One of those who hold it, in words.
        holder: String,
    },
    /// Somebody has it to himself, and this process is one of several.
    #[error(
        "the database {database} at {place} is in use by an Anteroom without NODE_ADDR, which has it to itself ({holder}). Stop that one first; \
         it may be started again with a NODE_ADDR of its own",
        database = place.database
    )]
    InUseAlone {
        /// Where it is.
        place: Place,
        /// Who holds it, in words.
        holder: String,
    },
    /// Another node has this one's address.
    #[error(
        "another Anteroom with NODE_ADDR {address} is running over the database {database} at {place}. Give each an address of its own, or stop that one",
        database = place.database
    )]
    AddressInUse {
        /// Where it is.
        place: Place,
        /// Where the other nodes would reach both.
        address: String,
    },
    /// A later version of this program has written it.
    #[error(
        "the database {database} at {place} was made by a newer Anteroom (it has migration {version}, which this one does not know). Start that \
         version, or restore a back-up made by this one: see docs/postgres.md",
        database = place.database
    )]
    Newer {
        /// Where it is.
        place: Place,
        /// The first migration that is not known.
        version: i64,
    },
    /// The database has had another migration of that number.
    #[error(
        "the database {database} at {place} was made by an Anteroom whose migration {version} was another one, or by another program. Name a \
         database of this server's own in DATABASE_URL",
        database = place.database
    )]
    Changed {
        /// Where it is.
        place: Place,
        /// The migration.
        version: i64,
    },
    /// Something else is kept in it.
    #[error(
        "the database {database} at {place} has other tables in it ({reason}). Name a database of this server's own in DATABASE_URL",
        database = place.database
    )]
    Taken {
        /// Where it is.
        place: Place,
        /// What was found.
        reason: String,
    },
    /// It is not what it should be.
    #[error(
        "the database {database} at {place} is damaged ({reason}). Nothing has been changed. Restore a back-up: see docs/postgres.md",
        database = place.database
    )]
    Damaged {
        /// Where it is.
        place: Place,
        /// What was found.
        reason: String,
    },
    /// There is no room.
    #[error("the disk of PostgreSQL at {place} is full. Make room and start again")]
    Full {
        /// Where it is.
        place: Place,
    },
    /// Anything else.
    #[error("the database {database} at {place} cannot be opened: {reason}", database = place.database)]
    Failed {
        /// Where it is.
        place: Place,
        /// What happened.
        reason: String,
    },
}

impl OpenError {
    pub(super) fn of(error: &sqlx::Error, place: &Place) -> Self {
        let (place, reason) = (place.clone(), faults::said(error));
        if faults::is_tls(error) {
            return Self::Tls { place, reason };
        }
        if matches!(error, sqlx::Error::Configuration(_)) {
            return Self::Address(reason);
        }
        match faults::code(error).as_deref() {
            Some("28P01" | "28000") => Self::Refused { place, reason },
            Some("3D000") => Self::NoDatabase { place },
            Some("25006") => Self::ReadOnly { place, reason },
            // There is no schema in which this role may make tables.
            Some("42501" | "3F000") => Self::Rights { place, reason },
            Some("53100") => Self::Full { place },
            Some("XX001" | "XX002") => Self::Damaged { place, reason },
            _ if faults::is_lost(error) => Self::Unreachable { place, reason },
            _ => Self::Failed { place, reason },
        }
    }
}
