# The compiler and the types of the embedded engines are optional packages, so the build stage installs everything;
# the image that runs gets neither them nor anything of development.
FROM node:24.11.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM node:24.11.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist ./dist
# Lua and SQL are read from the package root.
COPY jobs/queue/lua ./jobs/queue/lua
COPY db/migrations ./db/migrations
USER node
EXPOSE 3000
CMD ["node", "dist/main.js"]
