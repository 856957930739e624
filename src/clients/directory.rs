//! The clients of now: found by their token, read again while the gateway runs.

use std::{
    collections::HashMap,
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use super::{
    Client,
    allowance::{Allowance, Caller},
    file::{self, ClientsError, Entry},
    token::TokenHash,
};
use crate::domain::{AuthFailure, ClientName, ClientTag};

/// What reading the file again has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// How many clients there are now.
    pub clients: usize,
    /// Those that were not there before.
    pub came: Vec<ClientName>,
    /// Those that are there no more.
    pub went: Vec<ClientName>,
}

/// All clients. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    known: RwLock<Known>,
    /// By client, for as long as the process runs: a limit is not reset by writing the file again. As many
    /// as the files have ever named.
    used: Mutex<HashMap<ClientName, Arc<Allowance>>>,
}

struct Known {
    text: String,
    clients: Vec<(Arc<Client>, Vec<TokenHash>)>,
}

impl Directory {
    /// The clients of the file at `path`.
    ///
    /// # Errors
    /// When it can't be used.
    pub fn open(path: &Path) -> Result<Self, ClientsError> {
        let known = read(path)?;
        let shared = Shared { path: path.to_owned(), known: RwLock::new(known), used: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Who has this token. Looks at every token there is, in a time that tells nothing about them.
    ///
    /// # Errors
    /// When nobody has it.
    pub fn authenticate(&self, token: &str) -> Result<Caller, AuthFailure> {
        let hash = TokenHash::of(token);
        let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        for (client, tokens) in &known.clients {
            for own in tokens {
                if own.is(&hash) {
                    found = Some(client);
                }
            }
        }
        let client = Arc::clone(found.ok_or(AuthFailure::Unknown)?);
        drop(known);
        let mut used = self.shared.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = Arc::clone(used.entry(client.name.clone()).or_default());
        Ok(Caller::new(client, used))
    }

    /// The client of this name, if there is one now.
    pub fn client(&self, name: &ClientName) -> Option<Arc<Client>> {
        let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clients.iter().map(|(client, _)| client).find(|client| client.name == *name).cloned()
    }

    /// The weights of all clients.
    pub fn weights(&self) -> Vec<(ClientTag, NonZeroU32)> {
        let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clients.iter().map(|(client, _)| (client.name.tag(), client.weight)).collect()
    }

    /// The names of all clients, in order.
    pub fn names(&self) -> Vec<ClientName> {
        self.shared.known.read().unwrap_or_else(PoisonError::into_inner).names().cloned().collect()
    }

    /// Reads the file again; `None` when it has not changed. `announce` hears of the change before a client that
    /// came is let in. Blocks.
    ///
    /// # Errors
    /// When it can't be used; the clients stay as they were.
    pub fn reload(&self, announce: impl FnOnce(&Reloaded)) -> Result<Option<Reloaded>, ClientsError> {
        let now = read(&self.shared.path)?;
        let mut known = self.shared.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.text == now.text {
            return Ok(None);
        }
        let reloaded = Reloaded {
            clients: now.clients.len(),
            came: now.names_beside(&known),
            went: known.names_beside(&now),
        };
        announce(&reloaded);
        *known = now;
        Ok(Some(reloaded))
    }
}

impl Known {
    fn names(&self) -> impl Iterator<Item = &ClientName> {
        self.clients.iter().map(|(client, _)| &client.name)
    }

    /// The names that `other` does not have.
    fn names_beside(&self, other: &Self) -> Vec<ClientName> {
        self.names().filter(|name| !other.names().any(|its| its == *name)).cloned().collect()
    }
}

fn read(path: &Path) -> Result<Known, ClientsError> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|source| ClientsError::Unreadable { path: shown.clone(), source })?;
    let entries = file::parse(&shown, &text)?;
    let clients = entries.into_iter().map(|Entry { client, tokens }| (Arc::new(client), tokens)).collect();
    Ok(Known { text, clients })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn line(name: &str, tokens: &[&str], more: &str) -> String {
        let hashes: Vec<_> = tokens.iter().map(|token| format!("\"{}\"", TokenHash::of(token))).collect();
        format!("{name} = {{ tokens = [{}]{more} }}\n", hashes.join(", "))
    }

    fn name(directory: &Directory, token: &str) -> Result<String, AuthFailure> {
        directory.authenticate(token).map(|caller| caller.name().as_str().to_owned())
    }

    #[test]
    fn a_token_is_changed_without_a_moment_in_which_none_is_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.toml");
        let write = |text: String| fs::write(&path, text).unwrap();
        write(line("billing", &["old"], "") + &line("crm", &["other"], ""));
        let directory = Directory::open(&path).unwrap();
        assert_eq!(name(&directory, "old").unwrap(), "billing");
        assert_eq!(name(&directory, "new"), Err(AuthFailure::Unknown));
        assert_eq!(directory.reload(|_| panic!("nothing changed")).unwrap(), None);

        write(line("billing", &["old", "new"], "") + &line("crm", &["other"], ""));
        let nobody = Reloaded { clients: 2, came: Vec::new(), went: Vec::new() };
        assert_eq!(directory.reload(|_| ()).unwrap(), Some(nobody));
        assert_eq!(name(&directory, "old").unwrap(), name(&directory, "new").unwrap());

        write(line("billing", &["new"], ""));
        directory.reload(|_| ()).unwrap();
        assert_eq!(name(&directory, "old"), Err(AuthFailure::Unknown));
        assert_eq!(name(&directory, "other"), Err(AuthFailure::Unknown));
        assert_eq!(name(&directory, "new").unwrap(), "billing");
    }

    #[test]
    fn who_came_and_went_is_known_and_announced_before_anybody_is_let_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.toml");
        fs::write(&path, line("billing", &["a"], "") + &line("old", &["b"], "")).unwrap();
        let directory = Directory::open(&path).unwrap();
        fs::write(&path, line("billing", &["a"], "") + &line("crm", &["c"], "") + &line("web", &["d"], ""))
            .unwrap();

        let mut announced = None;
        let reloaded = directory.reload(|change| {
            announced = Some(change.clone());
            assert!(directory.shared.known.try_read().is_err(), "a client may be let in already");
        });

        let names = |names: &[&str]| names.iter().map(|name| ClientName::new(name)).collect::<Vec<_>>();
        let change = Reloaded { clients: 3, came: names(&["crm", "web"]), went: names(&["old"]) };
        assert_eq!((reloaded.unwrap(), announced), (Some(change.clone()), Some(change)));
    }

    #[test]
    fn a_file_that_can_not_be_used_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.toml");
        fs::write(&path, line("billing", &["good"], "")).unwrap();
        let directory = Directory::open(&path).unwrap();

        for broken in ["", "billing = ", "billing = { tokens = [\"good\"] }"] {
            fs::write(&path, broken).unwrap();
            assert!(directory.reload(|_| panic!("told of {broken}")).is_err(), "{broken}");
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(directory.reload(|_| ()), Err(ClientsError::Unreadable { .. })));

        assert_eq!(name(&directory, "good").unwrap(), "billing");
    }

    #[test]
    fn a_limit_is_not_reset_by_writing_the_file_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.toml");
        fs::write(&path, line("billing", &["good"], ", addresses_per_minute = 10")).unwrap();
        let directory = Directory::open(&path).unwrap();
        directory.authenticate("good").unwrap().charge(100).unwrap().keep();

        fs::write(&path, line("billing", &["good"], ", addresses_per_minute = 20")).unwrap();
        directory.reload(|_| ()).unwrap();

        let over = directory.authenticate("good").unwrap().charge(1).unwrap_err();
        assert_eq!(over.per_minute, NonZeroU32::new(20).unwrap());
    }
}
