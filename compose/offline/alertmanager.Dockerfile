# Debian's Alertmanager where the official image has its own: /bin/alertmanager, /etc/alertmanager, /alertmanager, user
# nobody. busybox, because the official image has its wget and health checks use it.
ARG TOOLS_IMAGE=debian:bookworm-slim
FROM ${TOOLS_IMAGE}
RUN apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends prometheus-alertmanager busybox >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/lib/prometheus \
 && ln -s /usr/bin/prometheus-alertmanager /bin/alertmanager \
 && ln -s busybox /bin/wget \
 && mkdir -p /etc/alertmanager /alertmanager && chown nobody:nogroup /alertmanager
USER nobody
EXPOSE 9093
WORKDIR /alertmanager
ENTRYPOINT ["/bin/alertmanager"]
CMD ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]
