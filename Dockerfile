# One image for every process: `careergraph web` by default, `careergraph worker` by argument.

FROM node:24-bookworm-slim AS graphiql
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /src
COPY web/graphiql/package.json web/graphiql/package-lock.json web/graphiql/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
# Only what graph/pages.py serves, and the stamp by which `careergraph doctor` knows them.
RUN mkdir /served \
    && cp --parents --target-directory=/served \
        node_modules/react/umd/react.production.min.js \
        node_modules/react-dom/umd/react-dom.production.min.js \
        node_modules/graphiql/graphiql.min.js \
        node_modules/graphiql/graphiql.min.css \
        node_modules/@graphiql/plugin-explorer/dist/index.umd.js \
        node_modules/@graphiql/plugin-explorer/dist/style.css \
        node_modules/graphql-ws/umd/graphql-ws.min.js \
    && printf %s "$(sha256sum package-lock.json | cut -d ' ' -f 1)" \
        > /served/node_modules/.careergraph-lock

FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /app
COPY requirements-server.txt ./
RUN /opt/venv/bin/pip install --no-cache-dir --requirement requirements-server.txt
COPY . .
# Editable, so that the program finds web/ and schema.graphql beside its packages, as in a checkout.
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --editable . \
    && /opt/venv/bin/python -m compileall -q cli domain graph jobs

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="CareerGraph" \
      org.opencontainers.image.description="A GraphQL career server: job recommendations with skill gaps, and gap analyses followed live." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
# The number is fixed, so that volumes keep their owner from one image to the next.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin careergraph \
    && install --directory --owner=careergraph --group=careergraph --mode=0700 /data
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CAREERGRAPH_DATA_DIR=/data \
    CAREERGRAPH_LOG_FORMAT=json
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
COPY --from=graphiql /served /app/web/graphiql
WORKDIR /app
USER 10001:10001
# Where the signing key is made on first run. Web and worker processes share it.
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=3)"]
ENTRYPOINT ["careergraph"]
CMD ["web", "--host", "0.0.0.0"]
