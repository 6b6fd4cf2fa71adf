# The service alone: PostgreSQL is given by TENURE_DATABASE_URL, settings by /etc/tenure/tenure.toml.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/opt/tenure \
    TENURE_CONFIG=/etc/tenure/tenure.toml

RUN useradd --system --no-create-home --shell /usr/sbin/nologin tenure

# Before the code, so that a change of the code does not install them again.
COPY requirements/run.txt /tmp/run.txt
RUN python -m pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/run.txt && rm /tmp/run.txt

WORKDIR /opt/tenure
COPY LICENSE ./
COPY domain ./domain
COPY projections ./projections
COPY service ./service

USER tenure
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/ready', timeout=4)"]

# Inside a container the loopback address is nobody else's.
CMD ["python", "-m", "service", "serve", "--host", "0.0.0.0"]
