# This machine's Rust on Debian, with a C compiler, where the official image `rust` cannot be pulled.
ARG TOOLS_IMAGE=debian:bookworm-slim
FROM ${TOOLS_IMAGE}
RUN apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends gcc g++ libc6-dev make >/dev/null \
 && rm -rf /var/lib/apt/lists/*
COPY toolchain /usr/local/rust
COPY etc/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PATH=/usr/local/rust/bin:$PATH \
    CARGO_HOME=/usr/local/cargo \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
