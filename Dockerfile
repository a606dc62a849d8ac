FROM python:3.13-slim AS build
WORKDIR /source
# Dependencies first: they change seldom, and this layer is then reused.
COPY requirements-image.lock ./
RUN python -m venv /opt/microfund \
    && /opt/microfund/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements-image.lock
COPY pyproject.toml LICENSE ./
COPY deploy deploy
COPY docs/operators.md docs/
COPY ledger ledger
COPY service service
COPY scripts/verify_history.py scripts/
RUN /opt/microfund/bin/pip install --no-cache-dir --no-build-isolation --no-deps .

FROM python:3.13-slim
# What papers are laid out with as PDFs, and their face: Tinos, a Times with every Vietnamese letter.
RUN apt-get -qq update \
    && apt-get -qq install --yes --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-croscore \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --create-home --home-dir /var/lib/microfund microfund \
    && install --directory --mode=700 --owner=microfund --group=microfund /var/lib/microfund/keys
COPY --from=build /opt/microfund /opt/microfund
ENV PATH=/opt/microfund/bin:$PATH PYTHONUNBUFFERED=1
# The working directory holds microfund.db when no other database is named; `microfund token issue` makes it.
WORKDIR /var/lib/microfund
USER microfund
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["microfund", "serve", "--host", "0.0.0.0", "--port", "8000"]
