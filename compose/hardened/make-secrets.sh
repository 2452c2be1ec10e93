#!/usr/bin/env bash
# Makes what compose.hardened.yaml mounts from compose/secrets: passwords, and the files that say where they are needed.
# What is there stays; to change a password, remove its file and start again.
set -euo pipefail
umask 077
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p secrets/alertmanager
# The folder is closed to other users of this machine; in it, files must be readable by the containers' users.
chmod 700 secrets
chmod 755 secrets/alertmanager

# The classic variable is the password of Grafana's `admin`, also where one was made before. Grafana itself takes it when
# its volume is made, and keeps it.
if [ -n "${GF_SECURITY_ADMIN_PASSWORD:-}" ]; then
    printf '%s' "$GF_SECURITY_ADMIN_PASSWORD" >secrets/grafana_password.new
    chmod 644 secrets/grafana_password.new
    mv secrets/grafana_password.new secrets/grafana_password
fi

random() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { chmod 644 "secrets/$1.new" && mv "secrets/$1.new" "secrets/$1"; }

for name in prometheus_password grafana_password; do
    if [ ! -s "secrets/$name" ]; then
        random >"secrets/$name.new"
        keep "$name"
        printf 'make-secrets: made compose/secrets/%s\n' "$name"
    fi
done

# Prometheus knows the password's bcrypt hash only. Perl and the C library of Debian's image make it.
if [ ! -s secrets/prometheus_web ] || [ secrets/prometheus_password -nt secrets/prometheus_web ]; then
    docker run --rm -i --network none --cap-drop ALL --entrypoint perl "$(./setting.sh TOOLS_IMAGE)" -e '
        chomp(my $password = <STDIN>);
        open(my $random, "<:raw", "/dev/urandom") or die; read($random, my $bytes, 22);
        my @letters = (".", "/", "A".."Z", "a".."z", "0".."9");
        my $salt = join("", map { $letters[ord($_) % 64] } split(//, $bytes));
        my $hash = crypt($password, "\$2b\$10\$" . $salt);
        die "no bcrypt here\n" unless defined $hash && $hash =~ /^\$2b\$/;
        print "basic_auth_users:\n  lab: \"$hash\"\n";
    ' <secrets/prometheus_password >secrets/prometheus_web.new
    keep prometheus_web
fi

# The same files as without passwords, and in them who asks Prometheus with which.
awk '{ print } /- job_name: prometheus$/ {
    print "    basic_auth:"; print "      username: lab"; print "      password_file: /run/secrets/prometheus_password" }' \
    ../observability/prometheus/prometheus.compose.yml >secrets/prometheus.yml.new
keep prometheus.yml
awk '{ print } /^    url: \$PROMETHEUS_URL$/ {
    print "    basicAuth: true"; print "    basicAuthUser: lab"; print "    secureJsonData:"
    print "      basicAuthPassword: $__file{/run/secrets/prometheus_password}" }' \
    ../observability/grafana/provisioning/datasources/autoscale-lab.yml >secrets/datasources.yml.new
keep datasources.yml
