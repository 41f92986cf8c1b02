# install, uninstall, dist.
#
#   make install [DESTDIR=] [PREFIX=/usr/local] [SYSCONFDIR=]   programs, man pages, units, libtide
#   make dist                                                   build/tide-$(VERSION).tar.gz
#
# A configuration file that is there already is left alone. Nothing is started or enabled.

SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
BINDIR := $(PREFIX)/bin
LIBDIR := $(PREFIX)/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
MANDIR := $(PREFIX)/share/man
DOCDIR := $(PREFIX)/share/doc/tide

INSTALL_PROGRAMS := tided tidectl tide-gateway
INSTALL_UNITS := $(wildcard deploy/*.service deploy/*.timer deploy/*.path deploy/*.socket)
INSTALL_MANS := $(foreach n,1 3 5 7 8,$(wildcard deploy/man/*.$(n)))
INSTALL_CONFS := $(wildcard deploy/tided.conf deploy/gateway.conf)
INSTALL_COMPLETIONS := $(filter-out %.zsh %.fish,$(wildcard deploy/completion/*))
INSTALL_DOCS := $(wildcard README.md CHANGELOG.md LICENSE protocol/README.md protocol/asyncapi.yaml)

# libtide alone, for programs of others.
$(BUILD)/libtide.a: $(LIBTIDE)
	@rm -f $@; ar rcs $@ $^

define TIDE_PC
prefix=$(PREFIX)
includedir=$${prefix}/include
libdir=$${prefix}/lib

Name: tide
Description: Client library of Tide (a resident's, a console's or a gateway's side, over MQTT)
Version: $(VERSION)
Requires.private: libcjson libcrypto
Libs: -L$${libdir} -ltide
Libs.private: $(PAHO_LIBS) -lpthread
Cflags: -I$${includedir}
endef
export TIDE_PC

install: $(addprefix $(BUILD)/,$(INSTALL_PROGRAMS)) $(BUILD)/libtide.a
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(UNITDIR)' \
	    '$(DESTDIR)$(DOCDIR)/example' '$(DESTDIR)$(PREFIX)/include/tide' \
	    '$(DESTDIR)$(SYSCONFDIR)/tide'
	install -m 755 $(addprefix $(BUILD)/,$(INSTALL_PROGRAMS)) '$(DESTDIR)$(BINDIR)'
	install -m 644 $(BUILD)/libtide.a '$(DESTDIR)$(LIBDIR)'
	printf '%s\n' "$$TIDE_PC" >'$(DESTDIR)$(LIBDIR)/pkgconfig/tide.pc'
	install -m 644 include/tide/client.h '$(DESTDIR)$(PREFIX)/include/tide'
	for unit in $(INSTALL_UNITS); do \
	    sed 's|/usr/bin/tide|$(BINDIR)/tide|g; s|/usr/local/bin/|$(BINDIR)/|g' "$$unit" \
	        >'$(DESTDIR)$(UNITDIR)'/$$(basename "$$unit") || exit 1; done
	for page in $(INSTALL_MANS); do section=$${page##*.}; \
	    install -d '$(DESTDIR)$(MANDIR)'/man$$section && \
	    install -m 644 "$$page" '$(DESTDIR)$(MANDIR)'/man$$section || exit 1; done
	for conf in $(INSTALL_CONFS); do \
	    to='$(DESTDIR)$(SYSCONFDIR)/tide'/$$(basename "$$conf"); \
	    [ -e "$$to" ] || install -m 640 "$$conf" "$$to" || exit 1; done
	for file in $(INSTALL_COMPLETIONS); do \
	    install -d '$(DESTDIR)$(PREFIX)/share/bash-completion/completions' && \
	    install -m 644 "$$file" '$(DESTDIR)$(PREFIX)/share/bash-completion/completions'/$$(basename \
	        "$$file" .bash) || exit 1; done
	for doc in $(INSTALL_DOCS); do install -m 644 "$$doc" \
	    '$(DESTDIR)$(DOCDIR)'/$$(echo "$$doc" | tr / -) || exit 1; done
	install -m 755 deploy/example/generate.py '$(DESTDIR)$(DOCDIR)/example'
	install -m 644 deploy/example/calendar-*.json '$(DESTDIR)$(DOCDIR)/example'

uninstall:
	cd '$(DESTDIR)$(PREFIX)' 2>/dev/null && rm -f $(INSTALL_PROGRAMS:%=bin/%) lib/libtide.a \
	    lib/pkgconfig/tide.pc include/tide/client.h \
	    $(foreach m,$(notdir $(INSTALL_MANS)),share/man/man$(lastword $(subst ., ,$(m)))/$(m)) \
	    $(addprefix share/bash-completion/completions/,$(notdir $(INSTALL_COMPLETIONS:.bash=)))
	rm -f $(foreach u,$(notdir $(INSTALL_UNITS)),'$(DESTDIR)$(UNITDIR)/$(u)')
	rm -rf '$(DESTDIR)$(DOCDIR)'
	-rmdir '$(DESTDIR)$(PREFIX)/include/tide' 2>/dev/null
	@echo 'left as they are: $(DESTDIR)$(SYSCONFDIR)/tide and the databases'

# What is committed, nothing else; without git, what lies here but for what was built.
DIST := tide-$(VERSION)
dist:
	@mkdir -p $(BUILD)
	@if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then \
	    git archive --format=tar --prefix=$(DIST)/ HEAD; \
	else \
	    tar --exclude='./build*' --exclude='*/__pycache__' --transform 's|^\.|$(DIST)|' \
	        --sort=name -cf - .; \
	fi | gzip -9n >$(BUILD)/$(DIST).tar.gz
	@echo '$(BUILD)/$(DIST).tar.gz'

.PHONY: install uninstall dist
