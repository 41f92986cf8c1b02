# What `make install` puts beside programs and units: accounts, folders, brokers' files.

SYSTEM_BROKER := people.conf field.conf field.acl mosquitto-field.service README.md

install: install-system
install-system:
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(PREFIX)/lib/sysusers.d' \
	    '$(DESTDIR)$(PREFIX)/lib/tmpfiles.d' '$(DESTDIR)$(DOCDIR)/mosquitto' \
	    '$(DESTDIR)$(DOCDIR)/certs'
	install -m 755 deploy/tide-backup '$(DESTDIR)$(BINDIR)'
	install -m 644 deploy/sysusers.d/tide.conf '$(DESTDIR)$(PREFIX)/lib/sysusers.d'
	install -m 644 deploy/tmpfiles.d/tide.conf '$(DESTDIR)$(PREFIX)/lib/tmpfiles.d'
	install -m 644 $(addprefix deploy/mosquitto/,$(SYSTEM_BROKER)) '$(DESTDIR)$(DOCDIR)/mosquitto'
	install -m 644 deploy/mosquitto/mosquitto.service.d/tide.conf \
	    '$(DESTDIR)$(DOCDIR)/mosquitto/mosquitto.service.d-tide.conf'
	install -m 755 deploy/certs/make-dev-certs.sh '$(DESTDIR)$(DOCDIR)/certs'

uninstall: uninstall-system
uninstall-system:
	rm -f '$(DESTDIR)$(BINDIR)/tide-backup' '$(DESTDIR)$(PREFIX)/lib/sysusers.d/tide.conf' \
	    '$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tide.conf'

.PHONY: install-system uninstall-system
