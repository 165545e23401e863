# The two commands of the README in a container, as a user without privileges:
#   docker build --tag insiders .
#   docker run --name insiders insiders            # make: the stages on what params.yaml names
#   docker cp insiders:/project/reports .
#   docker run --rm insiders make test
FROM python:3.11-slim-bookworm AS system
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home insiders \
    && install --directory --owner insiders --group insiders /project
USER insiders
WORKDIR /project

# The environment alone, made anew only when one of these files changes; of the code it needs to know the place.
FROM system AS environment
COPY --chown=insiders Makefile pyproject.toml requirements.lock requirements-bootstrap.lock ./
COPY --chown=insiders README.md LICENSE params.yaml dvc.yaml .gitignore ./
COPY --chown=insiders data/README.md data/
COPY --chown=insiders mlruns/README.md mlruns/
RUN mkdir --parents src/insiders && touch src/insiders/__init__.py && make env

FROM system
COPY --chown=insiders . .
COPY --chown=insiders --from=environment /project/.venv .venv
# Without a Git repository around it, which the image does not hold.
RUN .venv/bin/dvc config --local core.no_scm true
CMD ["make"]
