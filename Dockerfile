# The service alone: PostgreSQL is given by TENURE_DATABASE_URL, settings by /etc/tenure/tenure.toml.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1 \
    PYTHONPATH=/opt/tenure \
    TENURE_CONFIG=/etc/tenure/tenure.toml

# The number lets an orchestrator see that this is not root.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tenure \
    && printf '#!/bin/sh\nexec python -m service "$@"\n' >/usr/local/bin/tenure \
    && chmod 755 /usr/local/bin/tenure

# Before the code, so that a change of the code does not install them again.
COPY requirements/run.txt /tmp/run.txt
RUN python -m pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/run.txt && rm /tmp/run.txt

WORKDIR /opt/tenure
COPY LICENSE ./
COPY domain ./domain
COPY projections ./projections
COPY service ./service
# The user may not write here, so every start would compile again.
RUN python -m compileall -q domain projections service

USER 10001
EXPOSE 8080

# Not urllib, which would ask a proxy of the environment. What is wrong is printed, for `docker inspect`.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection as H; c = H('127.0.0.1', 8080, timeout=4); c.request('GET', '/health/ready'); a = c.getresponse(); print(a.read().decode()); raise SystemExit(a.status != 200)"]

# Inside a container the loopback address is nobody else's; the port is the one that the check above asks.
CMD ["tenure", "serve", "--host", "0.0.0.0", "--port", "8080"]
