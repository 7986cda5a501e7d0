//! One keep-alive HTTP/1.1 connection: send rendered bytes, read a status.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a request and answers the status. The body is read and forgotten.
    ///
    /// # Errors
    /// The connection broke: the outcome of the request is unknown.
    pub async fn send(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.fill().await?;
            if let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let status = status(&self.buffer[..head])?;
        let whole = head + length(&self.buffer[..head]);
        while self.buffer.len() < whole {
            self.fill().await?;
        }
        Ok(status)
    }

    /// The body of a GET.
    pub async fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
        let mut client = Client::connect(address).await?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: t.example\r\nConnection: close\r\n\r\n");
        client.stream.write_all(request.as_bytes()).await?;
        client.stream.read_to_end(&mut client.buffer).await?;
        let text = String::from_utf8_lossy(&client.buffer);
        let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
        Ok((status(head.as_bytes())?, body.to_string()))
    }

    async fn fill(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn status(head: &[u8]) -> io::Result<u16> {
    let code = head.get(9..12).and_then(|c| std::str::from_utf8(c).ok());
    code.and_then(|c| c.parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = text.lines().find_map(|l| l.strip_prefix("content-length:"));
    value.and_then(|v| v.trim().parse().ok()).unwrap_or(0)
}
