//! HTTP/1.1 as far as the proxy needs it: whole messages in memory, one after the other on a connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Nothing on this machine takes longer; a test that waits for more hangs.
const LONGEST: Duration = Duration::from_secs(60);

/// A request or an answer.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The request line or status line.
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn new(start: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Message { start: start.into(), headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    /// Start line and headers as they stand, the length included.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        head.into_bytes()
    }
}

/// The next request of a connection; nothing if the other side has closed it.
pub(crate) fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Message>> {
    let Some(mut request) = read_head(stream)? else { return Ok(None) };
    if request.header("expect").is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue")) {
        stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = match (request.header("content-length"), is_chunked(&request)) {
        (_, true) => read_chunks(stream)?,
        (Some(length), _) => read_exactly(stream, length.parse().map_err(io::Error::other)?)?,
        (None, _) => Vec::new(),
    };
    Ok(Some(request))
}

/// Sends a request on a connection of its own and reads the whole answer, whose length it makes plain.
pub(crate) fn exchange(address: SocketAddr, request: &Message) -> io::Result<Message> {
    let mut request = request.clone();
    request.set("connection", "close");
    request.headers.retain(|(name, _)| !["expect", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()));
    request.set("content-length", request.body.len().to_string());
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONGEST))?;
    stream.write_all(&request.head())?;
    stream.write_all(&request.body)?;
    let mut stream = BufReader::new(stream);
    let mut answer = loop {
        let answer = read_head(&mut stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if answer.status() >= 200 {
            break answer;
        }
    };
    let bodiless = request.start.starts_with("HEAD ") || matches!(answer.status(), 204 | 304);
    answer.body = match answer.header("content-length") {
        _ if bodiless => Vec::new(),
        Some(length) => read_exactly(&mut stream, length.parse().map_err(io::Error::other)?)?,
        None if is_chunked(&answer) => read_chunks(&mut stream)?,
        None => {
            let mut body = Vec::new();
            stream.read_to_end(&mut body)?;
            body
        }
    };
    answer.headers.retain(|(name, _)| {
        !["connection", "keep-alive", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str())
    });
    // The length in an answer to HEAD is that of the object.
    if !bodiless {
        answer.set("content-length", answer.body.len().to_string());
    }
    Ok(answer)
}

fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Message>> {
    let start = read_line(stream)?;
    if start.is_empty() {
        return Ok(None);
    }
    let mut message = Message::new(start, Vec::new());
    loop {
        let line = read_line(stream)?;
        let Some((name, value)) = line.split_once(':') else { return Ok(Some(message)) };
        message.headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}

fn read_exactly(stream: &mut BufReader<TcpStream>, length: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn is_chunked(message: &Message) -> bool {
    message.header("transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked"))
}

fn read_chunks(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let length = line.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(length, 16).map_err(io::Error::other)?;
        body.extend(read_exactly(stream, length)?);
        read_line(stream)?;
        if length == 0 {
            return Ok(body);
        }
    }
}
