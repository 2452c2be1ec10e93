# Debian's Prometheus where the official image has its own: /bin/prometheus, /etc/prometheus, /prometheus, user nobody.
# busybox, because the official image has its wget and nc, and health checks use them.
ARG TOOLS_IMAGE=debian:bookworm-slim
FROM ${TOOLS_IMAGE}
RUN apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends prometheus busybox >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/lib/prometheus \
 && ln -s busybox /bin/wget \
 && ln -s busybox /bin/nc \
 && mkdir -p /prometheus && chown nobody:nogroup /prometheus
USER nobody
EXPOSE 9090
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
