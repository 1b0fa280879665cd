//! Where the token server listens.

use crate::failure::Failure;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

pub(super) enum Listener {
    Tcp(TcpListener, String),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener, PathBuf),
}

/// A connection of either kind.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(path.into()));
        }
        let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        text.parse().map(Self::Tcp).map_err(|_| {
            Failure::configuration(
                "the address to listen on cannot be read; write 127.0.0.1:4020, [::1]:4020 or unix:/run/genauth.sock",
            )
        })
    }

    pub(super) fn is_of_this_machine(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    pub(super) async fn bind(self) -> Result<Listener, Failure> {
        let failed = |name: &str, error: io::Error| {
            Failure::other(format!("{name} cannot be used: {error}; choose another with --listen"))
        };
        match self {
            Self::Tcp(address) => {
                let listener = TcpListener::bind(address).await.map_err(|error| failed(&address.to_string(), error))?;
                let address = listener.local_addr().unwrap_or(address);
                Ok(Listener::Tcp(listener, address.to_string()))
            }
            #[cfg(unix)]
            Self::Unix(path) => {
                use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
                // Removes the socket of a process that was killed. A socket that somebody listens on stays.
                let is_socket = std::fs::symlink_metadata(&path).is_ok_and(|file| file.file_type().is_socket());
                if is_socket && tokio::net::UnixStream::connect(&path).await.is_err() {
                    let _ = std::fs::remove_file(&path);
                }
                let name = path.display().to_string();
                let listener = tokio::net::UnixListener::bind(&path).map_err(|error| failed(&name, error))?;
                // Only this user and the group may connect: whoever can connect gets tokens.
                let restricted = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660));
                restricted.map_err(|error| failed(&name, error))?;
                Ok(Listener::Unix(listener, path))
            }
            #[cfg(not(unix))]
            Self::Unix(_) => Err(Failure::configuration("this system has no unix sockets; listen on 127.0.0.1:4020")),
        }
    }
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Box<dyn Connection>> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, _) = listener.accept().await?;
                // The answers are small, and callers wait for them.
                let _ = stream.set_nodelay(true);
                Ok(Box::new(stream))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => Ok(Box::new(listener.accept().await?.0)),
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Tcp(_, address) => format!("http://{address}"),
            #[cfg(unix)]
            Self::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }

    /// Whether a web page in somebody's browser can send requests here.
    pub(super) fn is_open_to_browsers(&self) -> bool {
        matches!(self, Self::Tcp(..))
    }
}

#[cfg(unix)]
impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Whether a `Host` is a name by which only this machine is known. Any other name may have been pointed here by
/// somebody else's DNS, so that a page of theirs could send requests.
pub(super) fn is_own_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.trim_end_matches('.');
    let top = name.rsplit('.').next().unwrap_or_default();
    name.parse::<IpAddr>().is_ok() || top.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_this_machine_where_nobody_else_can_reach_it() {
        for (text, own) in [
            ("127.0.0.1:4020", true),
            ("127.9.9.9:1", true),
            ("[::1]:4020", true),
            ("[::ffff:127.0.0.1]:4020", true),
            ("localhost:4020", true),
            ("unix:/run/genauth.sock", true),
            ("0.0.0.0:4020", false),
            ("[::]:4020", false),
            ("192.168.0.7:80", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_of_this_machine(), own, "{text}");
        }
        for text in
            ["", "4020", ":4020", "unix:", "example.com:80", "127.0.0.1", "127.0.0.1:99999", "http://127.0.0.1:1"]
        {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_of_somebody_elses_is_not_this_machines() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:4020",
            "localhost",
            "LOCALHOST:80",
            "a.localhost",
            "[::1]:4020",
            "[::1]",
            "localhost.",
        ] {
            assert!(is_own_name(host), "{host}");
        }
        for host in
            ["", "example.com", "example.com:4020", "127.0.0.1.example.com", "localhost.example.com", "[]", ":80"]
        {
            assert!(!is_own_name(host), "{host}");
        }
    }
}
