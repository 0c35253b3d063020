# The command line with nothing but what it needs to run. Built for docker-compose.yml.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts scripts
COPY lua lua
COPY src src
RUN npm run build

FROM node:20-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY bin bin
COPY lua lua
COPY --from=build /app/dist dist
# `start` writes .busbar/url where it runs, so that `status` in the same folder finds the fleet.
RUN mkdir /home/node/busbar && chown node:node /home/node/busbar
USER node
WORKDIR /home/node/busbar
ENTRYPOINT ["node", "/app/bin/busbar.mjs"]
CMD ["--help"]
